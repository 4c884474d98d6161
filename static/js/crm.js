// Conveniences of the contacts workspace. Every page works without them.
(function () {
  "use strict";

  const isTyping = (element) => element.closest("input, textarea, select, [contenteditable]");

  // "/" goes to the search box.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const box = document.getElementById("q");
    if (!box) return;
    event.preventDefault();
    box.focus();
    box.select();
  });
})();
