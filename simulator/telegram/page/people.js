// Who you are, and becoming somebody else.

import { Person } from "./api.js";
import { avatar } from "./bubbles.js";
import { drawBar } from "./bar.js";
import { openChat, reload } from "./chat.js";
import { refresh } from "./chats.js";
import { button, make } from "./drawing.js";
import { heard } from "./events.js";
import { $, state } from "./state.js";
import { fail } from "./toast.js";

let stop = () => {};
let drawn = "";

export async function begin() {
  state.people = await Person.all();
  const [who, chat] = location.hash.slice(1).split("/").map(Number);
  const known = state.people.some((it) => it.id === who);
  const wide = matchMedia("(min-width: 760px)").matches;
  const me = known ? who : state.people[0].id;
  await become(me, known && chat ? chat : wide ? me : null);
}

async function become(id, chat = null) {
  stop();
  state.me = new Person(id);
  state.composer.me = id;
  state.queue = [];
  stop = state.me.listen(heard, () => reconnected().catch(fail), () => connection(false));
  await refresh();
  drawPeople();
  await openChat(chat !== null && state.chats.has(chat) ? chat : null);
}

async function reconnected() {
  connection(true);
  await reload();
  state.people = await Person.all();
  drawPeople();
}

function connection(works) {
  if (state.connected === works) return;
  state.connected = works;
  drawBar();
}

export function drawPeople() {
  const key = JSON.stringify([state.people, state.me.id]);
  if (key === drawn) return; // whoever has the focus keeps it
  drawn = key;
  $("people").replaceChildren(
    ...state.people.map((person) => {
      const mine = person.id === state.me.id;
      const name = make("span", "", person.first_name);
      const choice = button("person", "", () => switchTo(person.id).catch(fail), avatar(person), name);
      choice.setAttribute("role", "radio");
      choice.setAttribute("aria-checked", String(mine));
      choice.tabIndex = mine ? 0 : -1;
      choice.addEventListener("keydown", (event) => roam(event, person.id));
      return choice;
    }),
  );
  $("people").querySelector("[aria-checked=true]").scrollIntoView({ block: "nearest", inline: "nearest" });
}

// In a group one stays where one is, as another person.
async function switchTo(id) {
  await become(id, state.open !== null && state.open > 0 ? id : state.open);
}

function roam(event, id) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const at = state.people.findIndex((it) => it.id === id);
  const next = state.people.at((at + step) % state.people.length);
  switchTo(next.id)
    .then(() => document.querySelector(".person[aria-checked=true]").focus())
    .catch(fail);
}
