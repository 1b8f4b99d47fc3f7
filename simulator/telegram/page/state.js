// What the page knows. Events, loading and the reader's hand change it; everything else draws it.

export const $ = (id) => document.getElementById(id);

export const state = {
  people: [],
  me: null, // Person
  bot: null,
  chats: new Map(),
  open: null, // chat id
  thread: null,
  messages: new Map(), // of the open chat
  queue: null, // events that wait while a chat is loaded
  heard: 0, // events so far
  typing: null, // a timer while somebody types in the open chat
  connected: true,
  composer: null,
  acts: null, // what a press inside a message does
};

export const current = () => state.chats.get(state.open);

export function ordered() {
  const all = [...state.messages.values()].sort((a, b) => a.message_id - b.message_id);
  return state.thread === null ? all : all.filter((it) => it.message_thread_id === state.thread);
}
