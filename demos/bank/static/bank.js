// Events scroll by as the journals grow, and the figures follow them. Without this the page is the same, and stands still.

const live = document.getElementById("live");
const figures = document.getElementById("figures");
const services = document.getElementById("services");
const french = document.documentElement.lang === "fr";
const MOST = 40;

function amountOf(data) {
  const amount = data.amount ?? data.change;
  return amount === undefined ? "" : new Intl.NumberFormat(french ? "fr-FR" : "en", { style: "currency", currency: "EUR" }).format(Number(amount));
}

function half(label) {
  const [english, other] = (label ?? "").split(" · ");
  return french && other ? other : english;
}

function line(context, event) {
  const item = document.createElement("li");
  item.className = "fresh";
  const cell = (name, text) => {
    const made = document.createElement("span");
    made.className = name;
    made.textContent = text;
    item.append(made);
    return made;
  };
  cell("context", context);
  const what = cell("what", "");
  const link = document.createElement("a");
  link.href = `/console/${context}/events/${event.position}`;
  const refused = event.type === "actum.refused";
  link.textContent = refused ? (french ? "refusé" : "refused") : event.type;
  if (refused) item.classList.add("refused");
  const about = event.data.customer ?? event.data.account ?? event.data.source ?? event.data.said?.account ?? event.data.said?.plan ?? "";
  what.append(link, ` ${about} ${half(event.data.label ?? event.data.share ?? event.data.said?.label)}`);
  cell("amount", amountOf(event.data));
  return item;
}

// The explanation opens over the page where the figure's own ⓘ is there; else the link leads to the console's page of it.
document.getElementById("explain")?.addEventListener("click", (event) => {
  const button = document.querySelector('explain-cell[src$="/total"]')?.shadowRoot?.querySelector("button");
  if (!button) return;
  event.preventDefault();
  button.click();
});

let due = null;
async function refresh() {
  due = null;
  const answer = await fetch(`/customers/${figures.dataset.customer}/figures`).catch(() => null);
  if (answer?.ok) figures.innerHTML = await answer.text();
}

function follow(context) {
  const source = new EventSource(`/${context}/feed`);
  source.onmessage = (message) => {
    const event = JSON.parse(message.data);
    if (live && event.type !== "actum.unchanged") {
      live.querySelector(".waits")?.remove();
      live.prepend(line(context, event));
      while (live.children.length > MOST) live.lastElementChild.remove();
    }
    const here = event.tags.includes(`customer:${figures?.dataset.customer}`);
    if (figures && (here || event.type.startsWith("actum.view")) && due === null) due = setTimeout(refresh, 300);
  };
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(() => follow(context), 1000);
  };
}

if (live || figures) for (const context of ["accounts", "placements", "assets"]) follow(context);

if (services) {
  setInterval(async () => {
    if (services.querySelector("button:focus")) return;
    const answer = await fetch("/tour/services").catch(() => null);
    if (answer?.ok) services.innerHTML = await answer.text();
  }, 2000);
}
