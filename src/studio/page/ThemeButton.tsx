// Light or dark: as the system has it, until somebody says otherwise.
import { signal } from "@preact/signals";

type Theme = "light" | "dark";

const system = matchMedia("(prefers-color-scheme: dark)");
const kept = () => {
  try {
    return localStorage.getItem("theme");
  } catch {
    return null; // site data are blocked: the system's theme then
  }
};

/** The theme that is shown; charts, whose colours are no CSS, follow it. */
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
      // site data are blocked: it holds until the page is left
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
