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

/** For somebody who sees ZooKeeper for the first time. */
const words: ReadonlyArray<readonly [word: string, means: string]> = [
  ["znode", "an entry of the tree, with data and children"],
  ["session", "the connection of one program, which outlives a short interruption"],
  ["ephemeral", "a znode that ends with the session that created it"],
  ["ensemble", "the servers together; more than half of them, the quorum, must run"],
  ["recipe", "what programs build of znodes: a lock, an election, a queue. A program that waits may wait there"]
]

export const Help = (props: { readonly onClose: () => void }) => {
  const { hello } = usePage()
  return (
    <Dialog title="Help" onClose={props.onClose}>
      <h2>Keys</h2>
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
      <h2>Words</h2>
      <dl class="keys">
        <For each={words}>
          {([word, means]) => (
            <div>
              <dt>{word}</dt>
              <dd>{means}</dd>
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
