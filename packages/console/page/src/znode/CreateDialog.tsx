import type * as Models from "@effect-zookeeper/console/Models"
import { createMemo, createSignal, For, Show } from "solid-js"
import { describe } from "../link/failures.ts"
import { useChange } from "../link/run.ts"
import { bytesOf } from "../model/data.ts"
import { childOf } from "../model/znodePath.ts"
import { Dialog } from "../parts/Dialog.tsx"
import { Name } from "../parts/Name.tsx"
import { Note } from "../parts/Note.tsx"
import { usePage } from "../shell/page.ts"

type Mode = typeof Models.CreateMode.Type

const modes: ReadonlyArray<{ readonly mode: Mode; readonly text: string }> = [
  { mode: "persistent", text: "Persistent: it stays until someone deletes it" },
  { mode: "persistentSequential", text: "Sequential: the servers put a number at the end of its name" },
  { mode: "ephemeral", text: "Ephemeral: it ends with the session of this console, a minute after its last page" },
  { mode: "ephemeralSequential", text: "Ephemeral, with a number at the end of its name" },
  { mode: "container", text: "Container: deleted after its last child is gone" },
  { mode: "persistentWithTtl", text: "Time to live: deleted when it was not written for a time" },
  { mode: "persistentSequentialWithTtl", text: "Sequential, with a time to live" }
]

/** Creates a child of a znode. */
export const CreateDialog = (props: {
  readonly parent: string
  readonly onClose: () => void
  readonly onCreated: (path: string) => void
}) => {
  const { cluster, link } = usePage()
  const [name, setName] = createSignal("")
  const [mode, setMode] = createSignal<Mode>("persistent")
  const [seconds, setSeconds] = createSignal(3600)
  const [data, setData] = createSignal("")
  const creating = useChange<{ readonly path: string }>(({ path }) => props.onCreated(path))

  const isSequential = () => /Sequential/i.test(mode())
  const hasTtl = () => mode().endsWith("Ttl")
  const problem = createMemo(() => {
    if (name() === "" && !isSequential()) return "Give it a name."
    if (
      name()
        .split("/")
        .some((part) => part === "." || part === "..")
    )
      return "No part of a path can be . or .. ."
    if (name().startsWith("/") || name().endsWith("/") || name().includes("//"))
      return "Each name between two / has at least one character."
    if (hasTtl() && !(seconds() > 0)) return "The time to live is more than 0 seconds."
    return undefined
  })
  const create = (event: SubmitEvent): void => {
    event.preventDefault()
    if (problem() !== undefined) return
    creating.start(
      link.client.create({
        cluster: cluster()?.name ?? "",
        path: childOf(props.parent, name()),
        data: bytesOf(data()),
        mode: mode(),
        parents: name().includes("/"),
        ...(hasTtl() ? { ttl: Math.round(seconds() * 1000) } : {})
      })
    )
  }
  const failure = () => {
    const state = creating.state()
    return state._tag === "Failed" ? describe(state.error, "change") : undefined
  }
  return (
    <Dialog title="Create a znode" hasText={name() !== "" || data() !== ""} onClose={props.onClose}>
      <form class="stack" onSubmit={create}>
        <label class="stack tight">
          <span>
            Name, below <Name text={props.parent} />
          </span>
          <input
            class="field mono"
            autofocus
            autocomplete="off"
            spellcheck={false}
            value={name()}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <label class="stack tight">
          <span>Kind</span>
          <select
            class="field"
            value={mode()}
            onChange={(event) =>
              setMode(modes.find(({ mode }) => mode === event.currentTarget.value)?.mode ?? "persistent")
            }
          >
            <For each={modes}>{({ mode, text }) => <option value={mode}>{text}</option>}</For>
          </select>
        </label>
        <Show when={hasTtl()}>
          <label class="stack tight">
            <span>Seconds</span>
            <input
              class="field"
              type="number"
              min="1"
              value={seconds()}
              onInput={(event) => setSeconds(event.currentTarget.valueAsNumber)}
            />
          </label>
        </Show>
        <label class="stack tight">
          <span>Data</span>
          <textarea
            class="field mono"
            rows="6"
            spellcheck={false}
            value={data()}
            onInput={(event) => setData(event.currentTarget.value)}
          />
        </label>
        <p class="muted">
          It becomes <Name text={`${childOf(props.parent, name())}${isSequential() ? "0000000000" : ""}`} />, with the
          ACL of its parent.
        </p>
        <Show when={failure()}>{(text) => <Note tone="bad">{text()}</Note>}</Show>
        <div class="row end">
          <Show when={(name() !== "" || isSequential()) && problem()}>
            {(text) => <span class="muted">{text()}</span>}
          </Show>
          <span class="spring" />
          <button type="button" class="button" onClick={() => props.onClose()}>
            Cancel
          </button>
          <button class="button primary" disabled={problem() !== undefined || creating.state()._tag === "Running"}>
            {creating.state()._tag === "Running" ? "Creating …" : "Create"}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
