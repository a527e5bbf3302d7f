// Asks how the runs that are watched stand, while anybody can see them, and changes only what is another.
let shown = "", busy = false;
const root = () => element.querySelector(".live");

async function look() {
  if (busy || document.hidden || !root()?.offsetParent) return;
  busy = true;
  try {
    const names = props.value || [];
    const answer = await server.look({ names, shown: root().childElementCount ? shown : "" });
    if (String(names) !== String(props.value || [])) return;  // Others were chosen while this was on its way.
    if (answer.mark) {
      shown = answer.mark;
      draw(answer.html);
    }
  } catch {
    // The studio is gone, or loading; what is there stays.
  } finally {
    busy = false;
  }
}

function draw(html) {
  const made = document.createElement("template");
  made.innerHTML = html;
  follow(root(), made.content);
}

// Make the parts of one node those of another; what is alike, such as pictures, stays as it is.
function follow(here, there) {
  const olds = [...here.children], news = [...there.children];
  olds.slice(news.length).forEach((old) => old.remove());
  news.forEach((fresh, at) => {
    const old = olds[at];
    if (!old) here.append(fresh);
    else if (old.outerHTML === fresh.outerHTML) return;
    else if (old.className === fresh.className && fresh.matches(".runs, .run, .beside, .charts")) follow(old, fresh);
    else old.replaceWith(fresh);
  });
}

watch("value", look);
const clock = setInterval(() => (element.isConnected ? look() : clearInterval(clock)), props.milliseconds);
look();
