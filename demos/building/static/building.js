// Arrow keys go from step to step, and `play` goes on by itself.

const next = document.querySelector('a[rel="next"]');
const previous = document.querySelector('a[rel="prev"]');
const here = new URLSearchParams(location.search);

addEventListener("keydown", (event) => {
  if (event.target.matches("input")) return;
  if (event.key === "ArrowRight" && next) location.href = next.href;
  if (event.key === "ArrowLeft" && previous) location.href = previous.href;
});

if (here.has("play") && next && new URL(next.href).searchParams.get("step") !== here.get("step")) {
  setTimeout(() => { location.replace(`${next.href}&play`); }, 900);
}
