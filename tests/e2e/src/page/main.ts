// Runs inside the page before any of its scripts, and takes no part in what they do.
import { tapLine } from "./line";
import { Memory } from "./memory";
import { account, chosenModel, screen } from "./screen";

// Playwright puts it into the empty document before the page as well.
if (window.location.protocol === "http:") record();

function record(): void {
  const memory = new Memory();
  let pressedAt = 0;

  function look(): void {
    requestAnimationFrame(look);
    memory.noteFrame(Date.now(), screen());
  }
  requestAnimationFrame(look);

  const pressed = () => {
    pressedAt = Date.now();
  };
  document.addEventListener("click", pressed, true);
  document.addEventListener("submit", pressed, true);
  document.addEventListener(
    "submit",
    () => memory.presses.push({ at: Date.now(), account: account(), model: chosenModel() }),
    true,
  );

  tapLine({
    departed: (departure) => memory.departures.push({ ...departure, pressedAt }),
    answered: (answer) => memory.answers.push(answer),
  });

  Object.defineProperty(window, "__record", {
    value: {
      read: () => memory.read(),
      answered: (name: string) => memory.answers.filter(({ client }) => client === name).length,
    },
  });
}
