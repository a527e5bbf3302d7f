// The tab's script: it asks for the next frame only when the last one is drawn, so that nothing runs while it pauses.
const EDGE = 1.6, THOUSANDTHS = 1000, LONGEST = 400, FRAME = 1000 / 30, FEWEST = 10, MOST = 2000;
const REAL = [42, 120, 200], FAKE = [224, 123, 22], PURPLE = [138, 58, 185], SECOND = "#8a3ab9";
const root = element.querySelector(".learn"), words = props.words, formulas = props.formulas;
const find = (selector) => root.querySelector(selector), all = (selector) => [...root.querySelectorAll(selector)];
const state = {
  game: "", playing: false, busy: false, changed: true, seed: 0, fault: "none", drawn: [], brush: 0, reals: [],
  frame: null, history: [], shown: "", at: [0, 0],
};

// --- What is asked of the game ---

function options() {
  const asked = { seed: state.seed, fault: state.fault, drawn: state.drawn };
  for (const field of all("[data-option]")) asked[field.dataset.option] = valueOf(field);
  return asked;
}

function valueOf(field) {
  if (field.tagName === "SELECT") return field.value;
  return field.dataset.scale === "log" ? Number((10 ** Number(field.value)).toPrecision(2)) : Number(field.value);
}

async function ask(rounds, player = "") {
  if (state.busy) return;
  state.busy = true;
  const asked = { game: state.game, rounds, player, language: words.language };
  const told = state.changed || !state.game;
  if (told) asked.options = options();
  state.changed = false;
  try {
    take(await server.play(asked), told);
  } finally {
    state.busy = false;
  }
  if (state.changed && !state.playing) await ask(0);  // Something was changed while this was on its way.
}

function take(answer, told) {
  if (!answer) return stop(words.lost);
  if (answer.gone) { state.game = ""; state.changed = true; state.history = []; return; }
  if (answer.error) { state.changed = state.changed || told; return stop(answer.error); }
  say("");
  state.game = answer.game;
  state.reals = answer.reals || state.reals;
  state.frame = { ...answer, field: cellsOf(answer.field) };
  state.history.push({ images: answer.images, fool: answer.fool_rate, ...answer.losses });
  if (state.history.length > LONGEST) state.history = state.history.filter((_, index) => index % 2 || index > LONGEST / 2);
  root.dataset.frames = Number(root.dataset.frames) + 1;
  root.dataset.images = answer.images;
  draw();
}

// Cells come as two bytes each, the lower one first; given are beliefs from 0 to 1.
function cellsOf(text) {
  const raw = atob(text);
  return Array.from({ length: raw.length / 2 }, (_, at) => (raw.charCodeAt(2 * at) + 256 * raw.charCodeAt(2 * at + 1)) / 65535);
}

function stop(trouble) {
  state.playing = false;
  name();
  say(trouble);
}

function say(trouble) {
  const place = find(".trouble");
  if (place.textContent !== trouble) place.textContent = trouble;
  place.hidden = !trouble;
}

async function loop() {
  while (state.playing && root.isConnected) {
    const began = performance.now();
    if (root.offsetParent !== null && !document.hidden) await ask(Number(find("[data-speed]").value));
    await new Promise((go) => setTimeout(go, Math.max(0, FRAME - (performance.now() - began))));
  }
}

function name() {
  find('[data-act="toggle"]').textContent = state.playing ? words.pause : words.play;
  const fault = find('[data-act="fault"]');
  fault.setAttribute("aria-pressed", String(state.fault !== "none"));
  for (const field of all("input[type=range]")) {
    field.parentElement.querySelector(".value").textContent = String(valueOf(field));
  }
  const loss = formulas[find('[data-option="loss"]').value];
  for (const player of ["discriminator", "generator"]) find(`.formula.${player}`).textContent = loss[player];
  find(".code").textContent = code();
}

function code() {
  const asked = options(), usual = { seed: 0, fault: "none", distribution: "ring", noise: 0, penalty: 0.1, latent: 8 };
  const given = Object.entries(asked).filter(([key, value]) => value !== usual[key] && key !== "drawn");
  const listed = given.map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  if (asked.distribution === "drawn") listed.push("drawn=[(x, y, 0), ...]");
  const lines = ["from gannet.api import PlaneGame, PlaneOptions", "", `game = PlaneGame(PlaneOptions(${listed.join(", ")}))`];
  lines.push("game.play(rounds=500)", "print(game.verdict())");
  if (asked.distribution === "ring" && asked.fault === "none" && !asked.noise) lines.push("", ...command(asked));
  return lines.join("\n");
}

function command(asked) {
  const set = [`loss.name=${asked.loss}`, asked.penalty ? `loss.r1.weight=${asked.penalty}` : "loss.r1=null"];
  for (const player of ["generator", "discriminator"]) set.push(`optimizer.${player}.learning_rate=${asked[`${player}_rate`]}`);
  set.push(`network.latent=${asked.latent}`, "network.width=64", "batch=128", `seed=${asked.seed}`);
  return [`gannet train ring ${set.map((one) => `--set ${one}`).join(" ")}`];
}

// --- What is shown ---

const mixed = (from, to, share) => from.map((value, index) => Math.round(value + share * (to[index] - value)));
const dark = () => Boolean(root.closest(".dark") || document.body.classList.contains("dark"));
const plain = () => (dark() ? [24, 24, 27] : [255, 255, 255]);
const ink = () => (dark() ? "#e5e5e5" : "#333");

function shade(board, field, cells, colours) {
  const small = new OffscreenCanvas(cells, cells), painter = small.getContext("2d");
  const picture = painter.createImageData(cells, cells), middle = plain();
  field.forEach((value, index) => {
    const belief = 2 * value - 1, colour = mixed(middle, colours[belief > 0 ? 0 : 1], (dark() ? 0.75 : 0.6) * Math.abs(belief));
    picture.data.set([...colour, 255], 4 * index);
  });
  painter.putImageData(picture, 0, 0);
  const context = board.getContext("2d");
  context.imageSmoothingEnabled = true;
  context.drawImage(small, 0, 0, board.width, board.height);
}

function border(board, field, cells) {
  const context = board.getContext("2d"), side = board.width / cells, at = (row, column) => field[row * cells + column] - 0.5;
  context.strokeStyle = ink();
  context.lineWidth = board.width / 320;
  context.beginPath();
  for (let row = 0; row + 1 < cells; row += 1) {
    for (let column = 0; column + 1 < cells; column += 1) segments(context, row, column, side, at);
  }
  context.stroke();
}

function segments(context, row, column, side, at) {
  const corners = [[0, 0], [0, 1], [1, 1], [1, 0]], found = [];
  corners.forEach(([down, right], index) => {
    const [below, beside] = corners[(index + 1) % 4];
    const here = at(row + down, column + right), there = at(row + below, column + beside);
    if ((here > 0) === (there > 0)) return;
    const share = here / (here - there);
    found.push([column + 0.5 + right + share * (beside - right), row + 0.5 + down + share * (below - down)]);
  });
  for (let index = 0; index + 1 < found.length; index += 2) {
    context.moveTo(found[index][0] * side, found[index][1] * side);
    context.lineTo(found[index + 1][0] * side, found[index + 1][1] * side);
  }
}

function points(board, places, colour, radius) {
  const context = board.getContext("2d"), scale = board.width / (2 * EDGE);
  context.fillStyle = colour;
  context.beginPath();  // One path for all: to fill each by itself takes many times as long.
  for (let index = 0; index < places.length; index += 2) {
    const x = (places[index] / THOUSANDTHS + EDGE) * scale, y = (EDGE - places[index + 1] / THOUSANDTHS) * scale;
    context.moveTo(x + radius, y);
    context.arc(x, y, radius, 0, 2 * Math.PI);
  }
  context.fill();
}

function byClass(board, places, label, radius) {
  for (const kind of [0, 1]) {
    const own = places.filter((_, index) => label[index >> 1] === kind);
    points(board, own, kind ? SECOND : rgb(REAL), radius);
  }
}

const rgb = (colour, opacity = 1) => `rgba(${colour.join(",")},${opacity})`;

function draw() {
  const board = find(".board"), context = board.getContext("2d"), cells = 32;
  context.fillStyle = rgb(plain());
  context.fillRect(0, 0, board.width, board.height);
  if (state.frame) {
    shade(board, state.frame.field, cells, [REAL, FAKE]);
    border(board, state.frame.field, cells);
    points(board, state.reals, rgb(REAL, 0.75), 3.2);
    points(board, state.frame.fakes, rgb(FAKE, 0.95), 3.8);
    judge(state.frame.verdict);
    // The curves hardly change from one picture to the next.
    if (!state.playing || state.history.length % 3 === 0) curves();
  }
  if (drawing()) sketch(board);
}

function sketch(board) {
  const places = state.drawn.flatMap(([x, y]) => [x * THOUSANDTHS, y * THOUSANDTHS]);
  byClass(board, places, state.drawn.map((point) => point[2]), 4);
  const context = board.getContext("2d"), scale = board.width / (2 * EDGE);
  if (document.activeElement !== board) return;
  context.strokeStyle = ink();
  context.strokeRect((state.at[0] + EDGE) * scale - 6, (EDGE - state.at[1]) * scale - 6, 12, 12);
}

function judge(verdict) {
  const said = [verdict.rule.state, verdict.diagnosis.state, ...verdict.also].join(), now = performance.now();
  // Figures change with every frame: they are read out only when they say something else, or every other second.
  if (said === state.shown && now - state.shownAt < 2000) return;
  state.shown = said;
  state.shownAt = now;
  find(".rule").textContent = verdict.rule.words;
  find(".diagnosis").textContent = [verdict.diagnosis.words, ...verdict.also].join(" ");
  find(".advice").textContent = verdict.advice;
  root.dataset.diagnosis = verdict.diagnosis.state;
  find(".verdict").classList.toggle("bad", !["healthy", "too-early"].includes(verdict.diagnosis.state));
}

function curves() {
  const one = state.history.map((point) => point.fool);
  find(".now").textContent = `${Math.round(100 * one.at(-1))} %`;
  chart(find(".fool"), [[one, ink()]], [0, 1], [[0.5, words.half], [0.9, words.most]]);
  const lines = ["discriminator", "generator"].map((player) => state.history.map((point) => point[player]));
  const known = lines.flat().filter((value) => value !== undefined);
  const [least, most] = [Math.min(0, ...known), Math.max(0.1, ...known)];
  chart(find(".losses"), [[lines[0], rgb(REAL)], [lines[1], rgb(FAKE)]], [least, most], [[0, "0"]]);
}

function chart(board, lines, [least, most], marks) {
  const context = board.getContext("2d"), { width, height } = board, gap = 14;
  const up = (value) => height - gap - ((value - least) / (most - least)) * (height - 2 * gap);
  const far = state.history.at(-1)?.images || 1, along = (point) => (point.images / far) * width;
  context.fillStyle = rgb(plain());
  context.fillRect(0, 0, width, height);
  // Twelve pixels as they are seen, however narrow the page.
  context.font = `${Math.round((12 * width) / (board.clientWidth || width))}px sans-serif`;
  context.direction = root.dir;
  context.textAlign = "left";
  for (const [value, label] of marks) {
    context.strokeStyle = context.fillStyle = ink();
    stroke(context, [[0, up(value)], [width, up(value)]], 1, [6, 5]);
    context.fillText(label, 6, up(value) - 5);
  }
  for (const [values, colour] of lines) {
    context.strokeStyle = colour;
    const places = values.map((value, index) => [along(state.history[index]), up(value)]);
    stroke(context, places.filter(([, y]) => Number.isFinite(y)), 2.5, []);
  }
  context.fillStyle = ink();
  context.textAlign = "right";
  context.fillText(`${far.toLocaleString(words.language)} ${words.seen}`, width - 6, height - 4);
}

function stroke(context, places, width, dashes) {
  context.setLineDash(dashes);
  context.lineWidth = width;
  context.beginPath();
  places.forEach(([x, y], index) => (index ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.stroke();
  context.setLineDash([]);
}

// --- The other models ---

async function portray() {
  const button = find('[data-act="portray"]');
  button.disabled = true;
  const answer = await server.portray(options());
  button.disabled = false;
  if (!answer || answer.error) return say(answer ? answer.error : words.lost);
  find(".portraits").replaceChildren(...answer.models.map((model) => portrait(model, answer.points)));
}

function portrait(model, [places, label]) {
  const figure = document.createElement("figure"), board = document.createElement("canvas"), caption = document.createElement("figcaption");
  const field = cellsOf(model.field), cells = Math.sqrt(field.length);
  board.width = board.height = 320;
  board.setAttribute("role", "img");
  board.setAttribute("aria-label", words.models[model.name]);
  shade(board, field, cells, [PURPLE, REAL]);
  border(board, field, cells);
  const [shown, kinds, radius] = model.drawn ? [...model.drawn, 2.6] : [places, label, 1.8];
  byClass(board, shown, kinds, radius);
  const title = document.createElement("b"), line = document.createElement("span");
  title.textContent = words.models[model.name];
  line.textContent = `${words[model.kind]} ${words.right} ${(100 * model.accuracy).toFixed(1)} %`;
  caption.append(title, line);
  figure.append(board, caption);
  return figure;
}

// --- What the user does ---

const drawing = () => find('[data-option="distribution"]').value === "drawn";

function changed() {
  state.changed = true;
  find(".brush").hidden = !drawing();
  find(".board").classList.toggle("drawing", drawing());
  name();
  draw();
  if (drawing() && state.drawn.length < FEWEST) { state.playing = false; name(); return say(words.draw); }
  if (!state.playing) ask(0);
}

const acts = {
  toggle() {
    state.playing = !state.playing;
    name();
    if (state.playing) loop();
  },
  discriminator: () => pausedFor("discriminator"),
  generator: () => pausedFor("generator"),
  anew() {
    state.seed += 1;
    state.history = [];
    changed();
  },
  fault() {
    state.fault = state.fault === "none" ? "mode-collapse" : "none";
    changed();
  },
  wipe() {
    state.drawn = [];
    changed();
  },
  portray,
};

function pausedFor(player) {
  state.playing = false;
  name();
  ask(0, player);
}

root.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.brush !== undefined) {
    state.brush = Number(button.dataset.brush);
    for (const one of all("[data-brush]")) one.setAttribute("aria-pressed", String(one === button));
  } else acts[button.dataset.act]();
});
root.addEventListener("input", (event) => {
  if (event.target.matches("[data-option]")) changed();
  else name();
});

const board = find(".board");
let pressed = false;

function put(x, y) {
  const inside = (value) => Math.max(-EDGE, Math.min(EDGE, Number(value.toFixed(3))));
  if (state.drawn.length < MOST) state.drawn.push([inside(x), inside(y), state.brush]);
  draw();
}

function putAt(event) {
  const place = board.getBoundingClientRect();
  put((2 * (event.clientX - place.left) / place.width - 1) * EDGE, (1 - 2 * (event.clientY - place.top) / place.height) * EDGE);
}

board.addEventListener("pointerdown", (event) => {
  if (!drawing()) return;
  pressed = true;
  board.setPointerCapture(event.pointerId);
  putAt(event);
});
board.addEventListener("pointermove", (event) => pressed && putAt(event));
board.addEventListener("pointerup", () => {
  if (pressed) changed();
  pressed = false;
});
board.addEventListener("keydown", (event) => {
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  if (!drawing() || !(event.key in ways || event.key === " ")) return;
  event.preventDefault();
  if (event.key === " ") {
    put(...state.at);
    return changed();
  }
  state.at = state.at.map((value, index) => Math.max(-EDGE, Math.min(EDGE, value + 0.08 * ways[event.key][index])));
  draw();
});

name();
ask(0);
