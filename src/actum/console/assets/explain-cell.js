// <explain-cell src="/console/assets/explain/Assets/C-1/total"></explain-cell>: an ⓘ beside a figure of your own page, which opens
// the console's explanation of it in a dialog. Load it with <script type="module" src="/console/static/explain-cell.js"></script>.
class ExplainCell extends HTMLElement {
  connectedCallback() {
    if (this.shadowRoot) return;
    const shadow = this.attachShadow({ mode: "open" });
    const styles = ["telling.css", "explain-cell.css"].map((name) => {
      const link = document.createElement("link");
      link.rel = "stylesheet";
      link.href = new URL(name, import.meta.url).href;
      return link;
    });
    const button = document.createElement("button");
    const french = (this.closest("[lang]")?.lang || navigator.language).startsWith("fr");
    button.type = "button";
    button.textContent = "i";
    button.setAttribute("aria-label", this.getAttribute("label") || (french ? "Pourquoi ce montant ?" : "Why is it what it is?"));
    const dialog = document.createElement("dialog");
    const close = document.createElement("button");
    close.type = "button";
    close.className = "close";
    close.textContent = french ? "Fermer" : "Close";
    const middle = document.createElement("div");
    middle.className = "middle";
    dialog.setAttribute("aria-label", button.getAttribute("aria-label"));
    dialog.append(close, middle);
    close.addEventListener("click", () => dialog.close());
    button.addEventListener("click", () => this.open(dialog, middle));
    shadow.append(...styles, button, dialog);
  }

  async open(dialog, middle) {
    middle.textContent = "…";
    dialog.showModal();
    const address = new URL(this.getAttribute("src"), location.href);
    address.searchParams.set("part", "1");
    const language = this.closest("[lang]")?.lang.slice(0, 2);
    if (language) address.searchParams.set("lang", language);
    const answer = await fetch(address, { headers: { accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    page.querySelectorAll("script").forEach((script) => script.remove());
    middle.replaceChildren(...page.body.childNodes);
    this.dispatchEvent(new CustomEvent("explained", { bubbles: true, detail: { ok: answer.ok } }));
  }
}
customElements.define("explain-cell", ExplainCell);
