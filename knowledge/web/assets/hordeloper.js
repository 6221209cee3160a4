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
    "Main menu": "Menu", "Sidebar": "Menu", "Expand sidebar": "Menu openen", "Collapse sidebar": "Menu sluiten",
    "App pages": "Pagina’s", "Navigate to home page": "Naar het begin", "Logo": "Hordeloper", "Open": "Openen",
    "Selected values": "Gekozen", "Dismiss": "Sluiten", "Close": "Sluiten", "Connection error": "Geen verbinding", "Remove": "Verwijder",
  };
  const PATTERNS = [
    [/^Selected (.+)\. (.+)$/, "Gekozen: $1"], [/^remove (.+)$/i, "Verwijder $1"], [/^(\d+) options? available\.$/, "$1 keuzes."], [/^(.+), selected$/, "$1, gekozen"],
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

  // Streamlit scrolls inside an element of its own and starts every page at the top. The place is kept in the browser's
  // history, as a browser does with a page that scrolls itself, with the page it is a place on: after Back the former
  // page may still be there for a moment.
  const main = () => document.querySelector("#root .stMain");
  let page = null, state = null, wanted = history.state?.place ?? null, scrolled = 0, restored = 0, facet = null;
  const keep = () => {
    if (wanted || !page || !main()) return;
    history.replaceState({ ...history.state, place: { top: main().scrollTop, page, state } }, "");
  };
  const restore = () => {
    if (!main() || wanted?.page !== page || wanted.state !== state) return;
    // Again with every change of the page, which may still be growing, until somebody does something.
    main().scrollTop = wanted.top;
    clearTimeout(restored);
    restored = setTimeout(() => { wanted = null; }, 5000);
  };
  addEventListener("popstate", () => { wanted = history.state?.place ?? null; });
  document.addEventListener("scroll", () => { clearTimeout(scrolled); scrolled = setTimeout(keep, 100); }, true);
  for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, () => { wanted = null; keep(); }, true);
  for (const kind of ["wheel", "touchmove"]) document.addEventListener(kind, () => { wanted = null; }, { passive: true });

  document.addEventListener("focusin", (event) => { facet = event.target.closest("[role=combobox]")?.ariaLabel ?? null; });
  const focus = (element) => {
    if (!element) return;
    if (/^H\d$/.test(element.tagName)) element.tabIndex = -1;
    element.focus({ preventScroll: true });
  };
  const first = document.querySelector(".hl-first");
  // Somebody who types in the first page loses nothing: the app's box takes it over, or the first page stays. Its form
  // works without the app.
  const takesOver = () => {
    const from = first?.querySelector("textarea"), to = document.querySelector("#root textarea");
    const plain = to?.closest(".hl-search"), focused = from && document.activeElement === from;
    if (from && from.value !== from.defaultValue) {
      if (!plain) return false;
      to.value = from.value;
    }
    document.body.classList.add("hl-ready");
    if (to && focused) { to.focus({ preventScroll: true }); to.setSelectionRange(from.selectionStart, from.selectionEnd); }
    return true;
  };
  // On a phone the menu lies over the page. Streamlit leaves it open after a choice, and remembers that.
  const closeMenu = () => {
    if (!matchMedia("(max-width: 768px)").matches) return;
    document.querySelector('.stSidebar[data-collapsed="false"] [data-testid="stSidebarCollapseButton"] button')?.click();
  };
  const settle = () => {
    // The last element of every page names the page: when it is there, the page is.
    const ready = document.querySelector("#root .hl-page");
    if (!ready) return;
    const changed = { page: ready.dataset.page !== page, state: ready.dataset.state !== state };
    if (!document.body.classList.contains("hl-ready")) {
      const read = scrollY;
      if (!takesOver()) return;
      closeMenu();
      first?.remove();
      ({ page, state } = ready.dataset);
      wanted = wanted?.page === page && wanted?.state === state ? wanted : { top: read, page, state };
      restore();
      return;
    }
    ({ page, state } = ready.dataset);
    if (changed.page) {
      closeMenu();
      focus(document.querySelector("#root h1"));
    } else if (changed.state && document.activeElement === document.body) {
      // Another answer on the same page: go on at the filter one was at, or hear how many cases there are.
      const box = facet && [...document.querySelectorAll("#root [role=combobox]")].find((one) => one.ariaLabel === facet);
      focus(box || document.querySelector("#root h2"));
    }
    restore();
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

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.target.closest(".hl-search")?.requestSubmit();
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
