// What Streamlit does not offer: the swap from the first page to the app, Dutch instead of English widget words,
// focus on the heading after a change of page, a button that copies an address, one that prints.
(() => {
  "use strict";
  const WORDS = {
    "Press Enter to apply": "Druk op Enter om toe te passen",
    "Press Ctrl+Enter to apply": "Druk op Ctrl+Enter om toe te passen",
    "Press ⌘+Enter to apply": "Druk op ⌘+Enter om toe te passen",
    "Press Enter to submit form": "Druk op Enter om te zoeken",
    "Press Ctrl+Enter to submit form": "Druk op Ctrl+Enter om te zoeken",
    "Press ⌘+Enter to submit form": "Druk op ⌘+Enter om te zoeken",
    "Choose options": "Kies", "Choose an option": "Kies", "No results": "Niets gevonden", "No options to select": "Niets te kiezen",
    "Skip to main content": "Naar de inhoud", "Link to heading": "Link naar deze kop", "Copy to clipboard": "Kopieer",
    "Running...": "Bezig …", "Stop": "Stop", "Connecting": "Verbinden", "CONNECTING": "VERBINDEN",
    "Please wait...": "Een ogenblik …", "Clear all": "Alles wissen", "Clear value": "Wissen", "Select all": "Alles kiezen",
    "Open sidebar": "Menu openen", "Close sidebar": "Menu sluiten", "View more": "Meer", "View less": "Minder",
    "Main menu": "Menu", "Close": "Sluiten", "Connection error": "Geen verbinding", "Remove": "Verwijder",
  };
  const PATTERNS = [
    [/^Selected (.+)\. (.+)$/, "Gekozen: $1"], [/^remove (.+)$/i, "Verwijder $1"], [/^(\d+)\/(\d+)$/, "$1/$2"],
    [/^Is the Streamlit server running\?.*$/, "De verbinding is weg. We proberen het opnieuw."],
  ];
  const translated = (text) => {
    const key = text.trim();
    if (key in WORDS) return text.replace(key, WORDS[key]);
    for (const [pattern, dutch] of PATTERNS) if (pattern.test(key)) return key.replace(pattern, dutch);
    return text;
  };
  const OURS = ".hl, .hl-first, textarea, input";
  const translate = (node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      if (node.parentElement && node.parentElement.closest(OURS)) return;
      const dutch = translated(node.data);
      if (dutch !== node.data) node.data = dutch;
      return;
    }
    if (node.nodeType !== Node.ELEMENT_NODE || node.matches(".hl, .hl-first")) return;
    for (const name of ["aria-label", "title", "placeholder", "alt"]) {
      const value = node.getAttribute(name);
      if (value) { const dutch = translated(value); if (dutch !== value) node.setAttribute(name, dutch); }
    }
    node.childNodes.forEach(translate);
  };

  let shown = null;
  const first = document.querySelector(".hl-first");
  const typing = () => first && [...first.querySelectorAll("textarea")].some((box) => box.value !== box.defaultValue);
  const settle = () => {
    // The last element of every page names the page: when it is there, the page is.
    const ready = document.querySelector("#root .hl-page");
    if (!ready) return;
    // Somebody who types in the first page keeps it; its form works without the app.
    if (!document.body.classList.contains("hl-ready")) {
      if (typing()) return;
      document.body.classList.add("hl-ready");
      first?.remove();
      shown = ready.dataset.page;
    } else if (ready.dataset.page !== shown) {
      shown = ready.dataset.page;
      const heading = document.querySelector("#root h1");
      if (heading) { heading.tabIndex = -1; heading.focus({ preventScroll: true }); }
    }
  };
  let waiting = false;
  const look = (changes) => {
    for (const change of changes) {
      if (change.type === "attributes") translate(change.target);
      else if (change.type === "characterData") translate(change.target);
      else change.addedNodes.forEach(translate);
    }
    if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; settle(); }); }
  };
  new MutationObserver(look).observe(document.body, {
    childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ["aria-label", "title", "placeholder"],
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy], [data-print]");
    if (!button) return;
    if (button.hasAttribute("data-print")) { window.print(); return; }
    event.preventDefault();
    const address = new URL(button.dataset.copy, location.origin).href;
    const done = () => { button.textContent = "Gekopieerd"; };
    if (navigator.clipboard) navigator.clipboard.writeText(address).then(done, () => window.prompt("Kopieer dit adres:", address));
    else window.prompt("Kopieer dit adres:", address);
  });
})();
