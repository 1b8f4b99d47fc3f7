// The commands that open at a slash.

import { button, make } from "./drawing.js";
import { $ } from "./state.js";

export class CommandMenu {
  #commands = [];
  #shown = [];
  #chosen = 0;

  // `choose(command)` sends one, `fill(command)` only writes it. `field` keeps the focus.
  constructor(field, { choose, fill }) {
    this.field = field;
    this.choose = choose;
    this.fill = fill;
    $("commands").addEventListener("click", () => this.#toggle());
    field.addEventListener("blur", () => setTimeout(() => {
      // A press on the menu comes first, and whoever is back by then still wants it.
      if (document.activeElement !== field) this.close();
    }, 150));
  }

  set(commands) {
    this.#commands = commands;
    $("commands").hidden = commands.length === 0;
    if (document.activeElement === this.field) this.offer();
  }

  // Opens for what is written, or closes.
  offer() {
    const typed = /^\/(\w*)$/.exec(this.field.value);
    if (!typed) return this.close();
    const wanted = typed[1].toLowerCase();
    return this.#open(this.#commands.filter((it) => it.command.startsWith(wanted)));
  }

  close() {
    $("menu").hidden = true;
    $("commands").setAttribute("aria-expanded", "false");
    this.field.removeAttribute("aria-activedescendant");
  }

  // Takes a key while it is open, and says whether it did.
  key(event) {
    if ($("menu").hidden) return false;
    const count = this.#shown.length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      this.#mark((this.#chosen + (event.key === "ArrowDown" ? 1 : count - 1)) % count);
    } else if (event.key === "Enter") {
      this.choose(this.#shown[this.#chosen]);
    } else if (event.key === "Tab") {
      this.fill(this.#shown[this.#chosen]);
    } else if (event.key === "Escape") {
      this.close();
    } else {
      return false;
    }
    event.preventDefault();
    return true;
  }

  #toggle() {
    if ($("menu").hidden) this.#open(this.#commands);
    else this.close();
    this.field.focus({ preventScroll: true });
  }

  #open(commands) {
    if (!commands.length) return this.close();
    this.#shown = commands;
    $("menu").replaceChildren(...commands.map((it, number) => this.#draw(it, number)));
    $("menu").hidden = false;
    $("commands").setAttribute("aria-expanded", "true");
    return this.#mark(0);
  }

  #draw(command, number) {
    const name = make("strong", "", `/${command.command}`);
    const about = make("span", "", command.description);
    about.dir = "auto";
    const option = button("menu-item", "", () => this.choose(command), name, about);
    option.id = `command-${number}`;
    option.tabIndex = -1;
    option.setAttribute("role", "option");
    option.addEventListener("pointerdown", (event) => event.preventDefault());
    option.addEventListener("pointermove", () => this.#mark(number));
    return option;
  }

  #mark(chosen) {
    this.#chosen = chosen;
    [...$("menu").children].forEach((option, number) => {
      option.setAttribute("aria-selected", String(number === chosen));
      if (number === chosen) option.scrollIntoView({ block: "nearest" });
    });
    this.field.setAttribute("aria-activedescendant", `command-${chosen}`);
  }
}
