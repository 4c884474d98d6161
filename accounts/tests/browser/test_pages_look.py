"""How pages look and behave: nothing blocked, nothing cut off, reachable by keyboard, light and dark, both directions."""

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings as django_settings

from accounts import actors
from accounts.models import Role
from accounts.services import invitations
from accounts.services.workspaces import create_workspace
from conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)

PUBLIC = [
    "/",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/password/reset/key/done/",
    "/accounts/password/reset/key/1-wrong/",
    "/accounts/inactive/",
    "/api/v1/docs/",
    "/api/v1/errors/",
]
PRIVATE = [
    "/home/",
    "/devices/",
    "/team/",
    "/plan/",
    "/security/",
    "/profile/",
    "/activity/",
    "/workspaces/new/",
    "/workspaces/settings/",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/logout/",
    "/accounts/reauthenticate/",
    "/accounts/sessions/",
    "/accounts/2fa/",
    "/accounts/2fa/totp/activate/",
    "/accounts/2fa/webauthn/",
    "/accounts/2fa/webauthn/add/",
]


@pytest.fixture
def full_house(alice, acme, alice_device):
    """Pages with something on them, long words included."""
    invitations.invite(
        workspace=acme,
        email="somebody.with.an.exceedingly.long.name@subdomain.of.example.com",
        role=Role.ADMIN,
        inviter=alice,
        actor=actors.person(alice),
    )
    acme.name = "Flores, Presentes e Encomendas Especiais da Vovó Aparecida"
    acme.save()
    return acme


def confirm_password(visitor) -> None:
    visitor.open("/accounts/reauthenticate/?next=/home/")
    visitor.page.locator("input[type=password]").fill(PASSWORD)
    visitor.page.locator("main button[type=submit]").first.click()
    visitor.page.wait_for_url("**/home/")


def walk(visitor, paths) -> dict[str, int]:
    """Open each page; answers those that are wider than the window."""
    wide = {}
    for path in paths:
        visitor.open(path)
        if (pixels := visitor.overflow()) > 0:
            wide[path] = pixels
    return wide


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_open_every_page(visit, alice, full_house, size, scheme):
    visitor = visit(size, color_scheme=scheme)
    assert walk(visitor, PUBLIC) == {}
    visitor.log_in(alice, PASSWORD)
    confirm_password(visitor)
    assert walk(visitor, PRIVATE) == {}


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_open_every_page_right_to_left(visit, alice, full_house, settings, size):
    settings.LANGUAGES = [("ar", "العربية")]
    settings.LANGUAGE_CODE = "ar"
    alice.language = "ar"
    alice.save()
    visitor = visit(size)
    page = visitor.page
    assert walk(visitor, PUBLIC) == {}
    assert page.locator("html").get_attribute("dir") == "rtl"
    visitor.open("/accounts/login/")
    page.locator("[name=login]").fill(alice.email)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main button.button[type=submit]").first.click()
    page.wait_for_url("**/home/")
    confirm_password(visitor)
    assert walk(visitor, PRIVATE) == {}
    assert page.locator("html").get_attribute("dir") == "rtl"
    if size == "wide":
        side, main = page.locator(".side").bounding_box(), page.locator("main").bounding_box()
        assert side["x"] > main["x"]


def test_follow_dark_mode(visit, db):
    backgrounds = {}
    for scheme in ("light", "dark"):
        visitor = visit(color_scheme=scheme)
        visitor.open("/accounts/login/")
        backgrounds[scheme] = visitor.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert backgrounds == {"light": "rgb(244, 246, 245)", "dark": "rgb(11, 19, 20)"}


def contrast(visitor) -> dict[str, float]:
    """Texts whose contrast with what is behind them is below 4.5, with the ratio."""
    return visitor.page.evaluate(
        """() => {
          const context = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
          const paint = (color, under) => {
            context.fillStyle = `rgb(${under.join(",")})`; context.fillRect(0, 0, 1, 1);
            context.fillStyle = color; context.fillRect(0, 0, 1, 1);
            return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
          };
          const light = (rgb) => {
            const [r, g, b] = rgb.map((c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const behind = (element) => {
            const chain = [];
            for (let e = element; e; e = e.parentElement) chain.unshift(getComputedStyle(e));
            if (chain.some((style) => style.backgroundImage !== "none")) return null;
            return chain.reduce((under, style) => paint(style.backgroundColor, under), [255, 255, 255]);
          };
          const low = {};
          for (const element of document.querySelectorAll("main *, header *, footer *")) {
            const text = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join("");
            const style = getComputedStyle(element);
            if (!text || !element.checkVisibility() || element.closest(".unseen, option, #swagger-ui")) continue;
            const under = behind(element);
            if (!under) continue;
            const [a, b] = [light(paint(style.color, under)), light(under)].sort((x, y) => y - x);
            const ratio = (a + 0.05) / (b + 0.05);
            if (ratio < 4.5) low[text.slice(0, 40)] = Math.round(ratio * 100) / 100;
          }
          return low;
        }"""
    )


def nameless(visitor) -> list[str]:
    """Buttons, links and fields of which nobody hears what they are for, and ids that are there twice."""
    return visitor.page.evaluate(
        """() => {
          const label = (e) => e.getAttribute("aria-label") || e.innerText?.trim() || e.title
            || [...(e.labels || [])].map((l) => l.innerText).join("").trim()
            || (e.getAttribute("aria-labelledby") && "labelled") || "";
          const controls = document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea, progress");
          const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
          const heard = (e) => e.checkVisibility() && !e.closest("[aria-hidden=true]");
          return [...controls].filter((e) => heard(e) && !label(e)).map((e) => e.outerHTML.slice(0, 120))
            .concat(ids.filter((id, i) => ids.indexOf(id) !== i).map((id) => `twice: ${id}`));
        }"""
    )


def misled(visitor) -> list[str]:
    """Forms of several buttons in which Enter in a field presses another one than the main one, or one that is none."""
    return visitor.page.evaluate(
        """() => {
          const sent = (b) => ["name", "value", "formaction", "hx-post"].map((a) => b.getAttribute(a) || "").join(" ");
          const isMain = (b) => b.matches(".button:not(.second, .quiet, .danger)");
          const wrong = (form) => {
            const fields = [...form.elements].filter((e) => e.matches("input:not([type=hidden], [type=file], [type=submit])"));
            const [first, ...others] = [...form.elements].filter((e) => e.matches("button:not([type=button]), input[type=submit]"));
            if (!fields.length || !others.length || isMain(first)) return false;
            const isHarmless = first.matches(".unseen") && !sent(first).trim();
            return !isHarmless && !others.some((b) => isMain(b) && sent(b) === sent(first));
          };
          return [...document.forms].filter(wrong).map((form) => form.outerHTML.slice(0, 120));
        }"""
    )


def too_faint(visitor, paths) -> dict[str, float]:
    """Texts of pages that `contrast` finds, each with its page."""
    low = {}
    for path in paths:
        visitor.open(path)
        low.update({f"{path} {text}": ratio for text, ratio in contrast(visitor).items()})
    return low


def on_pages(visitor, paths, find) -> dict[str, list[str]]:
    """What `nameless` or `misled` finds, by the pages that have any of it."""
    found = {}
    for path in paths:
        visitor.open(path)
        found |= {path: here} if (here := find(visitor)) else {}
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_read_text_with_contrast(visit, alice, full_house, scheme):
    visitor = visit(color_scheme=scheme)
    visitor.log_in(alice, PASSWORD)
    confirm_password(visitor)
    assert too_faint(visitor, [*PRIVATE, "/", "/api/v1/errors/"]) == {}
    visitor.page.evaluate("document.documentElement.style.setProperty('--muted', '#777')")
    assert contrast(visitor) != {}, "nothing is measured"


def test_press_main_button_by_enter(visit, alice, full_house):
    visitor = visit()
    assert on_pages(visitor, PUBLIC, misled) == {}
    visitor.log_in(alice, PASSWORD)
    confirm_password(visitor)
    assert on_pages(visitor, PRIVATE, misled) == {}


def focused(visitor) -> str:
    return visitor.page.evaluate(
        "(document.activeElement.getAttribute('aria-label') || document.activeElement.name"
        " || document.activeElement.textContent).trim().replace(/\\s+/g, ' ')"
    )


def tab_through(visitor, count: int) -> list[str]:
    names = []
    for _ in range(count):
        visitor.page.keyboard.press("Tab")
        names.append(focused(visitor))
    return names


def test_reach_login_by_keyboard(visit, alice, acme):
    visitor = visit()
    visitor.open("/accounts/login/")
    order = tab_through(visitor, 8)
    assert order[0] == "Skip to the content"
    assert order[2:] == [
        "Create an account",
        "login",
        "password",
        "Forgot your password?",
        "Log in",
        "Log in with a passkey",
    ]


def test_reach_main_action_by_keyboard(visit, alice, acme):
    visitor = visit()
    visitor.log_in(alice, PASSWORD)
    visitor.open("/team/")
    assert tab_through(visitor, 1) == ["Skip to the content"]
    outline = visitor.page.evaluate("getComputedStyle(document.activeElement).transform")
    assert outline == "none"
    visitor.page.keyboard.press("Enter")
    assert tab_through(visitor, 3) == ["email", "role", "Send invitation"]
    assert visitor.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_open_menu_by_keyboard(visit, alice, acme):
    visitor = visit("narrow")
    page = visitor.page
    visitor.log_in(alice, PASSWORD)
    menu = page.get_by_role("button", name="Menu")
    link = page.get_by_role("link", name="Team", exact=True)
    assert not link.is_visible()
    menu.focus()
    page.keyboard.press("Enter")
    assert menu.get_attribute("aria-expanded") == "true"
    assert link.is_visible()
    assert visitor.overflow() <= 0
    page.keyboard.press("Escape")
    assert not link.is_visible()
    assert focused(visitor) == "Menu"


def test_switch_workspace_in_frame(visit, alice, acme):
    create_workspace(owner=alice, name="Second", actor=actors.person(alice))
    visitor = visit()
    page = visitor.page
    visitor.log_in(alice, PASSWORD)
    page.get_by_text("Change workspace").locator("xpath=..").click()
    page.get_by_role("button", name="Acme").click()
    page.wait_for_url("**/home/")
    assert "“Acme”" in page.locator("main").inner_text()


def test_name_countries(visit, alice, acme):
    visitor = visit()
    visitor.log_in(alice, PASSWORD)
    visitor.open("/workspaces/settings/")
    select = visitor.page.get_by_label("Default country")
    assert select.input_value() == "BR"
    assert select.locator("option:checked").inner_text() == "Brazil (+55)"


def test_show_second_step(visit, alice, acme):
    TOTP.activate(alice, generate_totp_secret())
    visitor = visit("narrow")
    page = visitor.page
    visitor.open("/accounts/login/")
    page.get_by_label("Email").fill(alice.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url("**/accounts/2fa/authenticate/")
    assert visitor.overflow() <= 0
    assert page.get_by_role("button", name="Use a passkey or security key").is_visible()


def test_use_api_docs(visit, db):
    """Swagger UI unfolds an operation without asking for anything that the policy forbids."""
    visitor = visit()
    page = visitor.page
    visitor.open("/api/v1/docs/")
    page.locator(".opblock-summary-control").first.click()
    page.locator(".opblock-body").first.wait_for()
    page.locator(".try-out__btn").first.click()
    page.locator("button.authorize").first.click()
    page.locator(".modal-ux").wait_for()


def test_forbid_foreign_scripts(visit, db):
    visitor = visit()
    visitor.open("/")
    visitor.page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.broken = 1'; document.body.append(s); }"
    )
    assert visitor.page.evaluate("window.broken") is None
    assert len(visitor.complaints) == 1
    assert "Content Security Policy" in visitor.complaints.pop()
    assert django_settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["default-src"] == ["'none'"]


def test_show_code_page_with_long_address(visit, db):
    visitor = visit("narrow")
    page = visitor.page
    visitor.open("/accounts/signup/")
    page.get_by_label("Email").fill("somebody.with.an.exceedingly.long.name@subdomain.of.example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Date of birth").fill("1990-05-17")
    page.get_by_role("button", name="Create account").click()
    page.get_by_role("heading", name="Check your inbox").wait_for()
    assert visitor.overflow() <= 0
