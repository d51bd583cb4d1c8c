import { createSignal, onCleanup, onMount, Show } from "solid-js"
import { keepToken, onNewToken, tokenIn } from "../link/token.ts"
import { Note } from "../parts/Note.tsx"
import { allOutliveReload, unsaved } from "../znode/drafts.ts"
import { reload } from "./leaving.ts"

/**
 * Instead of the page, when there is no token or the server does not take it. It goes on by itself when a link with another
 * token is opened in another tab.
 */
export const Gate = (props: { readonly reason: "missing" | "refused" }) => {
  const [problem, setProblem] = createSignal<string>()
  const open = (event: SubmitEvent & { readonly currentTarget: HTMLFormElement }): void => {
    event.preventDefault()
    const text = String(new FormData(event.currentTarget).get("link") ?? "").trim()
    const token = tokenIn(text)
    if (token === undefined) {
      setProblem("There is no token in this text. The link ends with #token=… .")
      return
    }
    keepToken(token)
    reload()
  }
  onMount(() => onCleanup(onNewToken(() => allOutliveReload() && reload())))
  return (
    <main class="gate">
      <form class="panel gate-panel stack" onSubmit={open}>
        <h1>{props.reason === "missing" ? "Open the link that zk ui printed" : "This link is not valid any more"}</h1>
        <p>
          {props.reason === "missing"
            ? "Only a link with its token opens the page, so that other programs and other sites cannot use it."
            : "zk ui was started again, and has a new token. It has printed a new link."}
        </p>
        <Show when={unsaved().length > 0}>
          <Note tone="warn">{words(unsaved().length)}</Note>
        </Show>
        <label class="stack">
          <span>Link or token</span>
          <input
            class="field mono"
            name="link"
            autocomplete="off"
            spellcheck={false}
            placeholder="http://127.0.0.1:…/#token=…"
            autofocus
          />
        </label>
        <Show when={problem()}>{(text) => <p role="alert">{text()}</p>}</Show>
        <div class="row end">
          <button class="button primary">Open</button>
        </div>
      </form>
    </main>
  )
}

const words = (drafts: number): string =>
  `${drafts === 1 ? "A text that you typed and did not save is" : `${drafts} texts that you typed and did not save are`} kept in this tab. ` +
  "Open the new link here, or in another tab of this browser: then this tab goes on too."
