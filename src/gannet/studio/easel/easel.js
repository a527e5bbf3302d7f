// The easel's script: strokes of discs without soft edges, which would be colours of other classes, told as one small PNG.
const KEPT = 20;  // Strokes that can be taken back.
const root = element.querySelector(".easel"), canvas = root.querySelector("canvas"), words = props.words;
const pen = canvas.getContext("2d", { willReadFrequently: true }), tool = (name) => root.querySelector(`[data-tool=${name}]`);
const before = [];
let colour = props.brushes[0].colour, last = null;

function name() {
  for (const place of root.querySelectorAll("[data-say]")) place.textContent = words[place.dataset.say];
  canvas.setAttribute("aria-label", words.label);
  const group = root.querySelector(".named-brushes");
  group.setAttribute("aria-label", words.brushes);
  props.brushes.forEach((brush, number) => group.append(choice(brush, number)));
}

function choice(brush, number) {
  const label = document.createElement("label"), input = document.createElement("input"), swatch = document.createElement("i");
  Object.assign(input, { type: "radio", name: `brush-${root.dataset.number}`, checked: number === 0 });
  input.addEventListener("change", () => { colour = brush.colour; });
  swatch.style.background = brush.colour;
  label.append(input, swatch, document.createTextNode(brush.name));
  return label;
}

// Sky above grass, or whatever the first and the fifth class are.
function begin() {
  [canvas.width, canvas.height] = props.size;
  pen.imageSmoothingEnabled = false;
  fill(props.brushes[0].colour);
  pen.fillStyle = props.brushes[Math.min(4, props.brushes.length - 1)].colour;
  pen.fillRect(0, Math.floor(canvas.height / 2), canvas.width, canvas.height);
}

function fill(paint) {
  pen.fillStyle = paint;
  pen.fillRect(0, 0, canvas.width, canvas.height);
}

function disc([x, y]) {
  const radius = Number(tool("size").value) / 2;
  pen.fillStyle = colour;
  for (let down = -Math.floor(radius); down <= radius; down++) {
    const across = Math.floor(Math.sqrt(radius * radius - down * down));
    pen.fillRect(Math.round(x) - across, Math.round(y) + down, 2 * across + 1, 1);
  }
}

function stroke(from, to) {
  const steps = Math.max(1, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1])));
  for (let step = 0; step <= steps; step++) {
    disc([from[0] + (to[0] - from[0]) * step / steps, from[1] + (to[1] - from[1]) * step / steps]);
  }
}

function place(event) {
  const edge = canvas.getBoundingClientRect();
  return [(event.clientX - edge.left) * canvas.width / edge.width, (event.clientY - edge.top) * canvas.height / edge.height];
}

function keep() {
  before.push(pen.getImageData(0, 0, canvas.width, canvas.height));
  if (before.length > KEPT) before.shift();
}

function tell() {
  root.dataset.told = String(Number(root.dataset.told || 0) + 1);
  props.value = canvas.toDataURL("image/png");
  trigger("input");
}

canvas.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  canvas.setPointerCapture(event.pointerId);
  keep();
  last = place(event);
  disc(last);
});
canvas.addEventListener("pointermove", (event) => {
  if (!last) return;
  const to = place(event);
  stroke(last, to);
  last = to;
});
for (const end of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(end, () => { if (last) { last = null; tell(); } });
}
tool("fill").addEventListener("click", () => { keep(); fill(colour); tell(); });
tool("undo").addEventListener("click", () => { if (before.length) { pen.putImageData(before.pop(), 0, 0); tell(); } });
tool("open").addEventListener("change", async (event) => {
  const file = event.target.files[0], trouble = root.querySelector(".trouble");
  if (!file) return;
  trouble.textContent = "";
  try {
    const picture = await createImageBitmap(file);
    keep();
    pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
    tell();
  } catch {
    trouble.textContent = words.unreadable;
  }
  event.target.value = "";
});

root.dataset.number = Math.random().toString(36).slice(2);
name();
begin();
setTimeout(tell);  // Once whoever listens is there.
