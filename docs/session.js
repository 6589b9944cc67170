// Plays the recorded sessions of a page. A player reads its colours once, so another palette makes it anew.
for (const place of document.querySelectorAll(".cast")) {
  const data = JSON.parse(place.parentElement.nextElementSibling.textContent);
  const [end] = JSON.parse(data.trim().split("\n").pop());
  const options = { theme: "site", fit: "width", poster: `npt:${Math.floor(end)}` };
  let player;
  const create = () => {
    player?.dispose();
    player = AsciinemaPlayer.create({ data }, place, options);
  };
  create();
  new MutationObserver(create).observe(document.body, { attributeFilter: ["data-md-color-scheme"] });
}
