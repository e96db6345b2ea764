import { render } from "preact";
import { applyTheme } from "./state/preferences.ts";
import { listenToHistory } from "./state/route.ts";
import { loadSession } from "./state/session.ts";
import { App } from "./app.tsx";

const root = document.getElementById("app");
if (root === null) throw new Error("index.html has no element with the id app");
applyTheme();
listenToHistory();
void loadSession();
render(<App />, root);
