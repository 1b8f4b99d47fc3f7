// A text and its entities become nodes. Texts come from elsewhere: they only ever become text.
// Offsets are UTF-16 units, which is what JavaScript counts in.

export function make(tag, className = "", ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

export function button(className, label, act, ...children) {
  const node = make("button", className, ...children);
  node.type = "button";
  if (label) {
    node.setAttribute("aria-label", label);
    node.title = label;
  }
  node.addEventListener("click", (event) => {
    event.stopPropagation();
    act(event);
  });
  return node;
}

const BLOCKS = new Set(["pre", "blockquote", "expandable_blockquote"]);

// `acts` says what a press on a command, a mention or a copy button does.
export function drawText(text, entities, acts) {
  const sorted = [...(entities ?? [])].sort(
    (a, b) => a.offset - b.offset || b.length - a.length || BLOCKS.has(b.type) - BLOCKS.has(a.type),
  );
  const into = document.createDocumentFragment();
  drawRange(into, text, 0, text.length, sorted, acts);
  return into;
}

function drawRange(into, text, from, to, entities, acts) {
  let at = from;
  const left = [...entities];
  while (left.length) {
    const entity = left.shift();
    const begin = Math.max(entity.offset, at);
    const end = Math.min(entity.offset + entity.length, to);
    if (end <= begin) continue;
    const before = text.slice(at, begin);
    if (before) into.append(BLOCKS.has(entity.type) ? before.replace(/\n+$/, "") : before);
    const inside = [];
    const after = [];
    for (const other of left) {
      const last = other.offset + other.length;
      if (other.offset >= end) {
        after.push(other);
        continue;
      }
      inside.push({ ...other, length: Math.min(last, end) - other.offset });
      if (last > end) after.push({ ...other, offset: end, length: last - end });
    }
    into.append(drawEntity(entity, text, begin, end, inside, acts));
    at = end;
    // A block stands in lines of its own, and has its own room above and below.
    if (BLOCKS.has(entity.type)) while (text[at] === "\n") at += 1;
    left.splice(0, left.length, ...after);
  }
  if (at < to) into.append(text.slice(at, to));
}

const SIMPLE = {
  bold: "strong", italic: "em", underline: "u", strikethrough: "s",
  hashtag: "span", cashtag: "span", phone_number: "span", custom_emoji: "span",
};

function drawEntity(entity, text, from, to, inside, acts) {
  const words = text.slice(from, to);
  const fill = (node) => {
    drawRange(node, text, from, to, inside, acts);
    return node;
  };
  if (entity.type in SIMPLE) return fill(make(SIMPLE[entity.type], entity.type));
  switch (entity.type) {
    case "code":
      return make("code", "", words);
    case "pre":
      return drawCode(words, entity.language ?? "", acts);
    case "spoiler":
      return drawSpoiler(fill(make("span", "spoiler")));
    case "blockquote":
      return fill(make("blockquote"));
    case "expandable_blockquote":
      return drawFolded(fill(make("blockquote", "folded")));
    case "text_link":
      return fill(drawLink(entity.url));
    case "url":
      return fill(drawLink(words.includes("://") ? words : `https://${words}`));
    case "email":
      return fill(drawLink(`mailto:${words}`));
    case "bot_command":
      return button("link", `Send ${words}`, () => acts.command(words), words);
    case "mention":
      return button("link", `Write ${words}`, () => acts.mention(words), words);
    case "text_mention":
      return fill(make("span", "link"));
    case "date_time":
      return drawTime(entity.unix_time, words);
    default:
      return fill(make("span"));
  }
}

function drawLink(url) {
  let parsed;
  try {
    parsed = new URL(url);
  } catch {
    return make("span", "link");
  }
  if (!["http:", "https:", "mailto:"].includes(parsed.protocol)) return make("span", "link");
  const link = make("a");
  link.href = parsed.href;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
  link.title = parsed.href;
  return link;
}

function drawCode(words, language, acts) {
  const copy = button("code-copy", "Copy", () => acts.copy(words), icon("copy"));
  const pre = make("pre", "", make("code", "", words));
  pre.tabIndex = 0;
  pre.dir = "ltr";
  // Tables and the like come without a language: they need no head.
  const head = make("figcaption", "", ...(language ? [make("span", "", language)] : []), copy);
  return make("figure", language ? "code" : "code bare", head, pre);
}

function drawSpoiler(node) {
  node.setAttribute("role", "button");
  node.setAttribute("aria-label", "Hidden words. Press to show them.");
  node.tabIndex = 0;
  const show = (event) => {
    event.stopPropagation();
    node.classList.add("shown");
    node.removeAttribute("role");
    node.removeAttribute("aria-label");
  };
  node.addEventListener("click", show);
  node.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      show(event);
    }
  });
  return node;
}

function drawFolded(node) {
  const unfold = button("link unfold", "", () => {
    const open = node.classList.toggle("open");
    unfold.textContent = open ? "Less" : "More";
    unfold.setAttribute("aria-expanded", String(open));
  });
  unfold.textContent = "More";
  unfold.setAttribute("aria-expanded", "false");
  const wrapper = make("div", "fold");
  wrapper.append(node, unfold);
  return wrapper;
}

function drawTime(unix, words) {
  const node = make("time", "", words);
  const when = new Date(unix * 1000);
  if (!Number.isNaN(when.getTime())) {
    node.dateTime = when.toISOString();
    node.title = when.toLocaleString();
  }
  return node;
}

export function clock(unix) {
  return new Date(unix * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

export function day(unix) {
  const then = new Date(unix * 1000);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(then).setHours(0, 0, 0, 0)) / 864e5);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return then.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
}

export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
