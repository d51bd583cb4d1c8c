import { createSignal, Show } from "solid-js"
import { Dialog } from "../parts/Dialog.tsx"
import { usePage } from "./page.ts"

/** Asks for a path. What is pasted may be a link of this page too. */
export const GoTo = (props: { readonly onClose: () => void }) => {
  const { go, route } = usePage()
  const [path, setPath] = createSignal(route().path)
  const problem = () => (path().startsWith("/") ? undefined : "A path begins with /.")
  const open = (event: SubmitEvent): void => {
    event.preventDefault()
    if (problem() !== undefined) return
    props.onClose()
    go({ view: "tree", path: path().length > 1 ? path().replace(/\/+$/, "") : "/" })
  }
  return (
    <Dialog title="Go to a path" onClose={props.onClose}>
      <form class="stack" onSubmit={open}>
        <input
          class="field mono"
          aria-label="Path"
          autocomplete="off"
          spellcheck={false}
          autofocus
          value={path()}
          onFocus={(event) => event.currentTarget.select()}
          onInput={(event) => setPath(event.currentTarget.value.trim())}
        />
        <Show when={problem()}>{(text) => <p class="muted">{text()}</p>}</Show>
        <div class="row end">
          <button type="button" class="button" onClick={() => props.onClose()}>
            Cancel
          </button>
          <button class="button primary" disabled={problem() !== undefined}>
            Go
          </button>
        </div>
      </form>
    </Dialog>
  )
}
