// Small conveniences. Every page works without them.
(function () {
  "use strict";

  const browserZone = () => {
    try {
      return Intl.DateTimeFormat().resolvedOptions().timeZone || "";
    } catch {
      return "";
    }
  };

  // Sign-up: the browser's own time zone, so that times are right from the first day.
  function fillTimeZone() {
    for (const input of document.querySelectorAll("input[type=hidden][name=time_zone]")) {
      if (!input.value) input.value = browserZone();
    }
  }

  // Names of countries in the language of the page; the server writes codes.
  function nameCountries(root) {
    if (!Intl.DisplayNames) return;
    const language = document.documentElement.lang || "en";
    const names = new Intl.DisplayNames([language], { type: "region", fallback: "code" });
    for (const select of root.querySelectorAll("select[data-countries]")) {
      const chosen = select.value;
      const [first, ...rest] = select.options;
      for (const option of rest) {
        option.textContent = `${names.of(option.value)} (${option.dataset.calling || option.value})`;
      }
      rest.sort((a, b) => a.textContent.localeCompare(b.textContent, language));
      select.replaceChildren(first, ...rest);
      select.value = chosen;
    }
  }

  // The menu of narrow screens.
  function menu() {
    const button = document.querySelector(".menu-button");
    if (!button) return;
    const side = button.closest(".side");
    const show = (open) => {
      side.classList.toggle("open", open);
      button.setAttribute("aria-expanded", String(open));
    };
    button.addEventListener("click", () => show(!side.classList.contains("open")));
    side.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && side.classList.contains("open")) {
        show(false);
        button.focus();
      }
    });
  }

  // Passkeys: say in words what went wrong instead of nothing at all.
  document.addEventListener("allauth.error", (event) => {
    const box = document.getElementById("passkey-problem");
    if (!box) return;
    event.preventDefault();
    box.hidden = false;
    box.focus();
  });

  // Messages can be put away; the list stays, because it announces the next one.
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".dismiss");
    if (button) button.closest(".notice").remove();
  });

  // A part of the page that could not be had says so, instead of nothing happening at all.
  for (const [event, sentence] of [["htmx:responseError", "problem"], ["htmx:sendError", "offline"]]) {
    document.addEventListener(event, () => {
      const list = document.getElementById("messages");
      if (!list) return;
      const notice = document.createElement("div");
      notice.className = "notice bad";
      notice.textContent = list.dataset[sentence];
      list.replaceChildren(notice);
      notice.scrollIntoView({ block: "nearest" });
    });
  }

  // Words that were typed into a search before htmx came are searched for as soon as it is here.
  document.addEventListener(
    "htmx:load",
    () => {
      for (const input of document.querySelectorAll("input[type=search]")) {
        if (input.value !== input.defaultValue) input.dispatchEvent(new Event("search", { bubbles: true }));
      }
    },
    { once: true },
  );

  // Behind a photo stand the initials; they are seen again when the photo cannot be had.
  document.addEventListener("error", (event) => event.target.matches?.("img.photo") && event.target.remove(), true);

  document.addEventListener("DOMContentLoaded", () => {
    fillTimeZone();
    nameCountries(document);
    menu();
  });
})();
