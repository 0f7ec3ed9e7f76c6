import { useDemo } from "../app/demo";
import { Button } from "../ui/Button";
import { useStore } from "../ui/store";
import type { Theme } from "./theme";

const NEXT: Readonly<Record<Theme, Theme>> = { system: "light", light: "dark", dark: "system" };
const ICONS: Readonly<Record<Theme, string>> = {
  system: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zm0 1.5v9a4.5 4.5 0 0 0 0-9z",
  light:
    "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM7.25 1h1.5v2h-1.5zM7.25 13h1.5v2h-1.5zM1 7.25h2v1.5H1zM13 7.25h2v1.5h-2zM2.5 3.55l1.05-1.05L5 3.9 3.9 5zM11 12.1l1.1-1.1 1.4 1.45-1.05 1.05zM11 3.9l1.45-1.4 1.05 1.05L12.1 5zM2.5 12.45 3.9 11 5 12.1l-1.45 1.4z",
  dark: "M6.2 2.2A6 6 0 1 0 13.8 9.8 5 5 0 0 1 6.2 2.2z",
};

/** Steps through the system's colours, light and dark. */
export function ThemeToggle() {
  const { themes } = useDemo();
  const theme = useStore(themes);
  const name = theme === "system" ? "of the system" : theme;
  return (
    <Button
      look="quiet"
      aria-label={`Colours: ${name}. Change`}
      title={`Colours: ${name}`}
      data-testid="theme"
      onClick={() => themes.choose(NEXT[theme])}
    >
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
        <path d={ICONS[theme]} fill="currentColor" fillRule="evenodd" />
      </svg>
    </Button>
  );
}
