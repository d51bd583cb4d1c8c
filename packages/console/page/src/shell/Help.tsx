import { For } from "solid-js"
import { Dialog } from "../parts/Dialog.tsx"
import { usePage } from "./page.ts"

const keys: ReadonlyArray<readonly [keys: ReadonlyArray<string>, does: string]> = [
  [["1", "…", "5"], "the views, from Tree to Events"],
  [["g"], "go to a path"],
  [["/"], "filter or search"],
  [["↑", "↓"], "the row above or below"],
  [["→", "←"], "open or close a znode; into it, or to its parent"],
  [["Home", "End"], "the first or the last row"],
  [["Enter"], "show the znode of the row"],
  [["e"], "edit the data of the znode that is shown"],
  [["Esc"], "close a dialog; out of the filter"],
  [["?"], "this help"]
]

export const Help = (props: { readonly onClose: () => void }) => {
  const { hello } = usePage()
  return (
    <Dialog title="Keys" onClose={props.onClose}>
      <dl class="keys">
        <For each={keys}>
          {([keys, does]) => (
            <div>
              <dt>
                <For each={keys}>{(key) => (key === "…" ? <span> … </span> : <kbd>{key}</kbd>)}</For>
              </dt>
              <dd>{does}</dd>
            </div>
          )}
        </For>
      </dl>
      <div class="row">
        <span class="muted">zk ui {hello()?.version}</span>
        <span class="spring" />
        <button class="button" onClick={() => props.onClose()} autofocus>
          Close
        </button>
      </div>
    </Dialog>
  )
}
