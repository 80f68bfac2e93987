// Light or dark theme: that of the system, until the user chooses.
import { signal } from "@preact/signals";

type Theme = "light" | "dark";

const system = matchMedia("(prefers-color-scheme: dark)");
const kept = () => {
  try {
    return localStorage.getItem("theme");
  } catch {
    return null; // site data is blocked, so follow the system
  }
};

/** The current theme; charts, which do not use CSS colors, follow it. */
export const theme = signal<Theme>("light");

function show(): void {
  const chosen = kept();
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
    try {
      localStorage.setItem("theme", other);
    } catch {
      // site data is blocked, so the choice lasts until the page is left
    }
    theme.value = other;
    document.documentElement.dataset.theme = other;
  };
  return (
    <button type="button" class="plain theme" onClick={choose}>
      {other === "dark" ? "Dark" : "Light"} theme
    </button>
  );
}
