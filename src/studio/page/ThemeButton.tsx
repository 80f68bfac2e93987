// Light or dark theme: that of the system, until the user chooses.
import { signal } from "@preact/signals";
import { keepTheme, keptTheme } from "./kept.ts";

type Theme = "light" | "dark";

const system = matchMedia("(prefers-color-scheme: dark)");

/** The current theme; charts, which do not use CSS colors, follow it. */
export const theme = signal<Theme>("light");

function show(): void {
  const chosen = keptTheme();
  theme.value = chosen === "light" || chosen === "dark" ? chosen : system.matches ? "dark" : "light";
  document.documentElement.dataset.theme = theme.value;
}

export function followTheme(): void {
  show();
  system.addEventListener("change", show);
}

export function ThemeButton() {
  const other: Theme = theme.value === "light" ? "dark" : "light";
  const choose = () => {
    keepTheme(other);
    theme.value = other;
    document.documentElement.dataset.theme = other;
  };
  return (
    <button type="button" class="plain theme" onClick={choose}>
      {other === "dark" ? "Dark" : "Light"} theme
    </button>
  );
}
