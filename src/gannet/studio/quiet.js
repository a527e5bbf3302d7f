// Once anything was done, gradio's page asks for frames for ever, which costs a training beside it some percent of a core:
// its status trackers count seconds that nobody sees. So while nobody touches the page, it is given a few frames a second.
(() => {
  const REST = 250, AWAKE = 1000, OPENING = 10000;  // Milliseconds between frames at rest, after a touch, and at first.
  const draw = window.requestAnimationFrame.bind(window), drop = window.cancelAnimationFrame.bind(window), waiting = new Map();
  let until = OPENING, last = 0;
  for (const touch of ["pointerdown", "pointermove", "keydown", "wheel", "input"]) {
    window.addEventListener(touch, () => { until = performance.now() + AWAKE; }, { capture: true, passive: true });
  }
  window.requestAnimationFrame = (act) => {
    const number = ++last;
    const ask = () => {
      const frame = draw((now) => { waiting.delete(number); act(now); });
      waiting.set(number, () => drop(frame));
    };
    if (performance.now() < until) ask();
    else {
      const timer = setTimeout(ask, REST);
      waiting.set(number, () => clearTimeout(timer));
    }
    return number;
  };
  window.cancelAnimationFrame = (number) => { waiting.get(number)?.(); waiting.delete(number); };
})();
