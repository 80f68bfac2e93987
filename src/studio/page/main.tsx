// The page's entry.
import { render } from "preact";
import "../styles/studio.css";
import { App } from "./App.tsx";
import { connect } from "./client.ts";
import { keepFocus } from "./keepFocus.ts";
import { announce } from "./status.ts";
import { followTheme } from "./ThemeButton.tsx";

// A file dropped beside the drop area must not replace the page.
for (const type of ["dragover", "drop"]) addEventListener(type, (event) => event.preventDefault());

followTheme();
connect();
announce();
const root = document.getElementById("studio")!;
keepFocus(root);
render(<App />, root);
