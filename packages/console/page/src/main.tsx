/** The page begins here: it takes the token from the address and opens the link to its server. */
import "./styles/tokens.css"
import "./styles/base.css"
import "./styles/shell.css"
import "./styles/tree.css"
import "./styles/znode.css"
import "./styles/ensemble.css"
import "./styles/recipes.css"
import "./styles/events.css"
import "uplot/dist/uPlot.min.css"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { render } from "solid-js/web"
import * as Link from "./link/Link.ts"
import { takeToken } from "./link/token.ts"
import { App } from "./shell/App.tsx"
import { Gate } from "./shell/Gate.tsx"
import { applyTheme } from "./shell/theme.ts"

applyTheme()

const root = document.querySelector("#page")
const token = takeToken()

if (root !== null) {
  if (token === undefined) {
    render(() => <Gate reason="missing" />, root)
  } else {
    const runtime = ManagedRuntime.make(Link.layer(window.location.origin, token))
    runtime.runFork(
      Effect.map(Link.Link, (link) => render(() => <App link={link} run={(effect) => runtime.runFork(effect)} />, root))
    )
  }
}
