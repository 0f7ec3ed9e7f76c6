import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import "./app/theme.css";
import "./app/base.css";
import { exposeDemo, startDemo } from "./app/demo";
import { Failure } from "./app/Failure";
import { Themes } from "./theme/theme";

const container = document.getElementById("root");
if (!container) throw new Error("the page has no #root");
const root = createRoot(container);

try {
  const demo = await startDemo(new Themes());
  exposeDemo(demo);
  root.render(<App demo={demo} />);
} catch (error) {
  root.render(<Failure error={error} />);
}
