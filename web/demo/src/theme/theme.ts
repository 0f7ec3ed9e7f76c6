import { Store } from "../ui/store";

export type Theme = "system" | "light" | "dark";

const KEY = "trueup-demo.theme";

/** The colours of the page: those of the system unless chosen otherwise. */
export class Themes extends Store<Theme> {
  constructor() {
    const kept = localStorage.getItem(KEY);
    super(kept === "light" || kept === "dark" ? kept : "system");
    this.show();
  }

  choose(theme: Theme): void {
    localStorage.setItem(KEY, theme);
    this.set(theme);
    this.show();
  }

  private show(): void {
    const theme = this.getSnapshot();
    const root = document.documentElement;
    if (theme === "system") root.removeAttribute("data-theme");
    else root.setAttribute("data-theme", theme);
  }
}
