// Where a message is written: text, pictures, the command menu, replying and editing.

import { button, icon, make } from "./drawing.js";
import { nameOf, summary } from "./bubbles.js";

const $ = (id) => document.getElementById(id);
const PHOTO = new Set(["image/png", "image/jpeg", "image/webp", "image/gif"]);
const MOST_FILES = 10;
const TALLEST = 168; // pixels
const STICKERS = ["👍", "🎉", "❤️", "🔥", "🙏", "🚀"];

export class Composer {
  // `acts`: {say, edit, files, voice, sticker, toast, typed}. Each returns a promise.
  constructor(acts) {
    this.acts = acts;
    this.commands = [];
    this.suffix = "";
    this.files = [];
    this.about = null; // {message, editing}
    this.chosen = 0;
    this.text = $("text");
    this.#wire();
  }

  #wire() {
    $("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.text.addEventListener("input", () => this.#changed());
    this.text.addEventListener("keydown", (event) => this.#key(event));
    this.text.addEventListener("paste", (event) => this.#take(event.clipboardData?.files, event));
    this.text.addEventListener("blur", () => setTimeout(() => {
      // A press on the menu comes first, and whoever is back by then still wants it.
      if (document.activeElement !== this.text) this.#closeMenu();
    }, 150));
    $("commands").addEventListener("click", () => this.#toggleMenu());
    $("mention").addEventListener("click", () => this.insert(`@${this.botName} `));
    $("about-close").addEventListener("click", () => this.clearAbout());
    $("about-edit").addEventListener("click", () => this.startEdit(this.about.message));
    $("photo-input").addEventListener("change", (event) => this.#picked(event.target));
    $("file-input").addEventListener("change", (event) => this.#picked(event.target));
    for (const choice of document.querySelectorAll("[data-attach]")) {
      choice.addEventListener("click", () => this.#attach(choice.dataset.attach));
    }
    this.#wireDropping();
  }

  #wireDropping() {
    const pane = $("conversation");
    const drop = $("drop");
    pane.addEventListener("dragover", (event) => {
      if (![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      drop.hidden = false;
    });
    pane.addEventListener("dragleave", (event) => {
      if (!pane.contains(event.relatedTarget)) drop.hidden = true;
    });
    pane.addEventListener("drop", (event) => {
      drop.hidden = true;
      this.#take(event.dataTransfer.files, event);
    });
  }

  // Another chat is shown: what was begun in the last one is dropped.
  reset({ commands, isGroup, botName }) {
    this.botName = botName;
    this.suffix = isGroup ? `@${botName}` : "";
    $("mention").hidden = !isGroup;
    this.text.value = "";
    this.files = [];
    this.setCommands(commands);
    this.clearAbout();
    this.#drawTray();
    this.#changed();
  }

  setCommands(commands) {
    this.commands = commands;
    $("commands").hidden = commands.length === 0;
    if (document.activeElement === this.text) this.#offerMenu();
  }

  focus() {
    // On a phone this would open the keyboard over half the screen.
    if (!matchMedia("(pointer: coarse)").matches) this.text.focus();
  }

  insert(words) {
    const { selectionStart: from, selectionEnd: to } = this.text;
    this.text.setRangeText(words, from, to, "end");
    this.text.focus();
    this.#changed();
  }

  startReply(message) {
    this.#setAbout({ message, editing: false });
  }

  startEdit(message) {
    this.#setAbout({ message, editing: true });
    this.text.value = message.text ?? "";
    this.#changed();
  }

  #setAbout(about) {
    if (this.about?.editing && !about.editing) this.text.value = "";
    this.about = about;
    const { message, editing } = about;
    $("about").hidden = false;
    $("about-who").textContent = editing
      ? "Edit message"
      : `Reply to ${message.from.id === this.me ? "yourself" : nameOf(message.from)}`;
    $("about-what").textContent = summary(message);
    $("about-icon").setAttribute("href", editing ? "#i-edit" : "#i-reply");
    $("about-edit").hidden = editing || !message.text || message.from.id !== this.me;
    $("send-icon").setAttribute("href", editing ? "#i-done" : "#i-send");
    this.text.focus();
    this.#changed();
  }

  clearAbout() {
    if (this.about?.editing) this.text.value = "";
    this.about = null;
    $("about").hidden = true;
    $("send-icon").setAttribute("href", "#i-send");
    this.#changed();
  }

  aboutGone(id) {
    if (this.about?.message.message_id === id) this.clearAbout();
  }

  async #send() {
    const text = this.text.value.trim();
    const { about, files } = this;
    if (!text && !files.length) return;
    const more = about && !about.editing ? { reply_to: about.message.message_id } : {};
    this.text.value = "";
    this.files = [];
    this.about = null;
    this.clearAbout();
    this.#drawTray();
    this.#changed();
    try {
      if (about?.editing) await this.acts.edit(about.message, text);
      else if (files.length) await this.acts.files(files, text, more);
      else await this.acts.say(text, more);
    } catch (error) {
      // Nothing that was written is lost.
      this.text.value = text;
      this.files = files;
      this.#drawTray();
      this.#changed();
      this.acts.toast(error.message, "bad");
    }
  }

  #changed() {
    const { text } = this;
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight, TALLEST)}px`;
    $("send").disabled = !text.value.trim() && !this.files.length;
    this.#offerMenu();
  }

  #key(event) {
    if (event.isComposing) return;
    if (!$("menu").hidden && this.#menuKey(event)) return;
    if (event.key === "Escape" && this.about) {
      this.clearAbout();
    } else if (event.key === "ArrowUp" && !this.text.value) {
      const own = this.acts.lastOwn();
      if (own) {
        event.preventDefault();
        this.startEdit(own);
      }
    } else if (event.key === "Enter" && !event.shiftKey && !matchMedia("(pointer: coarse)").matches) {
      event.preventDefault();
      this.#send();
    }
  }

  // -- the command menu --

  #offerMenu() {
    const typed = /^\/(\w*)$/.exec(this.text.value);
    if (!typed) return this.#closeMenu();
    const wanted = typed[1].toLowerCase();
    return this.#openMenu(this.commands.filter((it) => it.command.startsWith(wanted)));
  }

  #toggleMenu() {
    if ($("menu").hidden) this.#openMenu(this.commands);
    else this.#closeMenu();
    this.text.focus({ preventScroll: true });
  }

  #openMenu(commands) {
    const menu = $("menu");
    if (!commands.length) return this.#closeMenu();
    this.chosen = 0;
    menu.replaceChildren(
      ...commands.map((it, number) => {
        const name = make("strong", "", `/${it.command}`);
        const about = make("span", "", it.description);
        about.dir = "auto";
        const option = button("menu-item", "", () => this.#choose(it), name, about);
        option.id = `command-${number}`;
        option.tabIndex = -1;
        option.setAttribute("role", "option");
        option.addEventListener("pointerdown", (event) => event.preventDefault());
        return option;
      }),
    );
    this.shown = commands;
    menu.hidden = false;
    $("commands").setAttribute("aria-expanded", "true");
    this.#mark();
  }

  #closeMenu() {
    $("menu").hidden = true;
    $("commands").setAttribute("aria-expanded", "false");
    this.text.removeAttribute("aria-activedescendant");
  }

  #mark() {
    [...$("menu").children].forEach((option, number) => {
      option.setAttribute("aria-selected", String(number === this.chosen));
      if (number === this.chosen) option.scrollIntoView({ block: "nearest" });
    });
    this.text.setAttribute("aria-activedescendant", `command-${this.chosen}`);
  }

  #menuKey(event) {
    const count = this.shown.length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      this.chosen = (this.chosen + (event.key === "ArrowDown" ? 1 : count - 1)) % count;
      this.#mark();
    } else if (event.key === "Enter") {
      this.#choose(this.shown[this.chosen]);
    } else if (event.key === "Tab") {
      this.text.value = `/${this.shown[this.chosen].command}${this.suffix} `;
      this.#changed();
    } else if (event.key === "Escape") {
      this.#closeMenu();
    } else {
      return false;
    }
    event.preventDefault();
    return true;
  }

  #choose(command) {
    this.text.value = `/${command.command}${this.suffix}`;
    this.#closeMenu();
    this.#send();
  }

  // -- files --

  #attach(what) {
    $("attach-menu").hidePopover();
    const sticker = STICKERS[Math.floor(Math.random() * STICKERS.length)];
    const acts = {
      photo: () => $("photo-input").click(),
      file: () => $("file-input").click(),
      voice: () => this.#try(this.acts.voice()),
      sticker: () => this.#try(this.acts.sticker(sticker)),
    };
    acts[what]();
  }

  #try(promise) {
    promise.catch((error) => this.acts.toast(error.message, "bad"));
  }

  #picked(input) {
    this.#take(input.files);
    input.value = "";
  }

  #take(files, event) {
    if (!files?.length) return;
    event?.preventDefault();
    this.files = [...this.files, ...files].slice(0, MOST_FILES);
    this.#drawTray();
    this.#changed();
    this.text.focus();
  }

  #drawTray() {
    const tray = $("tray");
    for (const image of tray.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    tray.hidden = this.files.length === 0;
    tray.replaceChildren(
      ...this.files.map((file, number) => {
        const tile = make("div", "tile");
        if (PHOTO.has(file.type)) {
          const image = make("img");
          image.src = URL.createObjectURL(file);
          image.alt = file.name;
          tile.append(image);
        } else {
          tile.append(icon("file"), make("span", "", file.name));
        }
        tile.append(button("tile-close", `Remove ${file.name}`, () => this.#drop(number), icon("close")));
        return tile;
      }),
    );
    this.text.placeholder = this.files.length ? "Add a caption" : "Message";
  }

  #drop(number) {
    this.files = this.files.filter((_, at) => at !== number);
    this.#drawTray();
    this.#changed();
  }
}

export const isPhoto = (file) => PHOTO.has(file.type);
