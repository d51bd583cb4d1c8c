import { createSignal, Show } from "solid-js"
import { destination } from "../model/Route.ts"
import { Dialog } from "../parts/Dialog.tsx"
import { usePage } from "./page.ts"

/** Asks for a path, or for a link to a znode. */
export const GoTo = (props: { readonly onClose: () => void }) => {
  const { go, route } = usePage()
  const [text, setText] = createSignal(route().path)
  const to = () => destination(text())
  const open = (event: SubmitEvent): void => {
    event.preventDefault()
    const found = to()
    if (found === undefined) return
    props.onClose()
    go(found)
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
          value={text()}
          onFocus={(event) => event.currentTarget.select()}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <Show when={to() === undefined}>
          <p class="muted">A path begins with /. The link of a znode leads to it, too.</p>
        </Show>
        <div class="row end">
          <button type="button" class="button" onClick={() => props.onClose()}>
            Cancel
          </button>
          <button class="button primary" disabled={to() === undefined}>
            Go
          </button>
        </div>
      </form>
    </Dialog>
  )
}
