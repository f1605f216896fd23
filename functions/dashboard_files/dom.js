// Makes elements. Text is always set as text, never as markup: what a tag or a name holds cannot become part of the page.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element: h("a", { href }, "text", child). Properties `onclick` and the like are listeners. */
export function h(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** The same for SVG. */
export function s(tag, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

/** A part of the page that is drawn again only when what it shows has changed, so that focus and selection stay. */
export function section(element, draw) {
  let shown;
  return {
    element,
    show(data) {
      const now = JSON.stringify(data);
      if (now === shown) return;
      shown = now;
      const children = draw(data);
      element.hidden = children === null;
      element.replaceChildren(...(children === null ? [] : [children].flat(Infinity).filter(Boolean)));
    },
  };
}

const FEW = 20;

/**
 * What draws a long list: the first things, a field that finds others, and a button for more. Both are kept when the
 * part is drawn again. `words` tells what a thing is found by; `what`: what they are called.
 */
export function few(what, words) {
  let most = FEW;
  let sought = "";
  let before;
  return (all, draw, list = h("div")) => {
    if (all.length <= FEW) return fill(list, {}, all.map(draw));
    const found = h("p", { class: "muted count" });
    const more = h("button", { type: "button", class: "more", onclick: () => { most += 5 * FEW; show(); } });
    const field = h("input", { type: "search", "aria-label": `Find ${what}`, placeholder: `Find ${what}`, value: sought, oninput: () => {
      sought = field.value;
      most = FEW;
      show();
      announce(found.textContent);
    } });
    function show() {
      const matching = sought ? all.filter((one) => words(one).toLowerCase().includes(sought.trim().toLowerCase())) : all;
      const shown = matching.slice(0, most);
      list.replaceChildren();
      fill(list, {}, shown.map(draw));
      found.textContent = sought ? `${matching.length} of ${all.length} ${what}` : `${all.length} ${what}`;
      more.hidden = shown.length === matching.length;
      more.textContent = `Show ${Math.min(5 * FEW, matching.length - shown.length)} more of ${matching.length}`;
    }
    show();
    if (before && before === document.activeElement) queueMicrotask(() => field.focus());
    before = field;
    return h("div", { class: "few" }, field, found, list, more);
  };
}

/** Put `wanted` into `parent` in this order, moving no more than needed. */
export function arrange(parent, wanted) {
  const focused = document.activeElement;
  let at = parent.firstChild;
  for (const child of wanted) {
    if (child === at) at = at.nextSibling;
    else parent.insertBefore(child, at);
  }
  while (at !== null) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
  if (focused !== document.activeElement && parent.contains(focused)) focused.focus();
}

/** Say something to who cannot see the page change. */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

/** A button that copies `text`, and says so. */
export function copyButton(text, what) {
  const label = h("span", {}, "Copy");
  const button = h("button", { type: "button", class: "copy", "aria-label": `Copy ${what}` }, label);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      label.textContent = "Copied";
      announce(`Copied ${what}`);
    } catch {
      label.textContent = "Cannot copy";
    }
    setTimeout(() => { label.textContent = "Copy"; }, 1600);
  });
  return button;
}
