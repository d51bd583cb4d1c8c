import type { Grafted } from "@effect-zookeeper/console/Models"
import type { EditFailure } from "@effect-zookeeper/console/ProtocolError"
import * as Effect from "effect/Effect"
import { createMemo, createSignal, Show } from "solid-js"
import { describe } from "../link/failures.ts"
import { useChange, useQuestion } from "../link/run.ts"
import { list } from "../model/acl.ts"
import { size } from "../model/data.ts"
import { childOf } from "../model/znodePath.ts"
import { Dialog } from "../parts/Dialog.tsx"
import { Name } from "../parts/Name.tsx"
import { Note } from "../parts/Note.tsx"
import { limitsBefore, usePage } from "../shell/page.ts"

/** Creates the znodes of a file, or copies of those of a subtree: it counts them first, and changes none that is there. */
export const GraftDialog = (props: {
  readonly kind: "copy" | "import"
  /** The subtree that is copied, or the parent of what is imported. */
  readonly path: string
  readonly onClose: () => void
  readonly onDone: (path: string, created: number) => void
}) => {
  const { cluster, hello, link } = usePage()
  const { kind } = props
  const [to, setTo] = createSignal(kind === "copy" ? `${props.path}-copy` : childOf(props.path, "imported"))
  const [file, setFile] = createSignal<Uint8Array>()
  /** Why the file that was chosen is none. */
  const [refusal, setRefusal] = createSignal<string>()
  const [found, setFound] = createSignal<Grafted>()
  const trying = useQuestion<Grafted, EditFailure>(setFound)
  const creating = useChange<{ readonly at: string; readonly created: number }>(({ at, created }) =>
    props.onDone(at, created)
  )
  const limit = () => (hello()?.limits ?? limitsBefore).imported

  const problem = createMemo(() => {
    if (!to().startsWith("/") || to().length < 2 || to().endsWith("/")) return "Name the path of a new znode."
    if (kind === "import" && file() === undefined) return refusal() ?? "Choose a file."
    return undefined
  })
  const forget = (): void => {
    setFound()
    trying.forget()
    creating.forget()
  }
  const ask = (isTrial: boolean) => {
    const at = { cluster: cluster()?.name ?? "", isTrial }
    return kind === "copy"
      ? link.client.copySubtree({ ...at, path: props.path, to: to() })
      : link.client.importSubtree({ ...at, path: to(), file: file() ?? new Uint8Array() })
  }
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    if (problem() !== undefined) return
    if (found() === undefined) trying.start(ask(true))
    else if (found()?.created !== 0) {
      const at = to()
      creating.start(Effect.map(ask(false), ({ created }) => ({ at, created })))
    }
  }
  const choose = (chosen: File | undefined): void => {
    forget()
    setFile()
    setRefusal()
    if (chosen === undefined) return
    // Before it is read: it may be larger than the memory.
    if (chosen.size > limit()) return void setRefusal(`The file has more than ${size(limit())}: use zk restore.`)
    void chosen.arrayBuffer().then(
      (buffer) => setFile(new Uint8Array(buffer)),
      () => setRefusal("The browser cannot read this file.")
    )
  }
  const failure = createMemo(() => {
    const state = creating.state()
    const other = trying.state()
    if (state._tag === "Failed") return describe(state.error, "change")
    return other._tag === "Failed" ? describe(other.error, "question") : undefined
  })
  const isRunning = () => trying.state()._tag === "Running" || creating.state()._tag === "Running"

  return (
    <Dialog title={kind === "copy" ? "Copy the subtree" : "Import a subtree"} onClose={props.onClose}>
      <form class="stack" onSubmit={submit}>
        <Show
          when={kind === "copy"}
          fallback={
            <label class="stack tight">
              <span>A file that was exported here, or made by zk backup</span>
              <input
                class="field"
                type="file"
                accept=".gz,.ndjson"
                onChange={(event) => choose(event.currentTarget.files?.[0])}
              />
            </label>
          }
        >
          <p>
            <Name text={props.path} />, with everything below it.
          </p>
        </Show>
        <label class="stack tight">
          <span>{kind === "copy" ? "The path of the copy" : "The path of its first znode here"}</span>
          <input
            class="field mono"
            autocomplete="off"
            spellcheck={false}
            autofocus={kind === "copy"}
            value={to()}
            onInput={(event) => {
              forget()
              setTo(event.currentTarget.value.trim())
            }}
          />
        </label>
        <p class="muted">
          Znodes that are there already stay as they are. Each new one has a new version and a new time, and ephemeral
          ones are left out.
        </p>
        <Show when={found()}>
          {(found) => <Note tone={found().created === 0 ? "info" : "good"}>{words(found())}</Note>}
        </Show>
        <Show when={failure()}>{(text) => <Note tone="bad">{text()}</Note>}</Show>
        <div class="row end">
          <Show when={problem()}>{(text) => <span class="muted">{text()}</span>}</Show>
          <span class="spring" />
          <button type="button" class="button" onClick={() => props.onClose()}>
            Cancel
          </button>
          <button class="button primary" disabled={problem() !== undefined || isRunning() || found()?.created === 0}>
            {isRunning()
              ? "One moment …"
              : found() === undefined
                ? "Count what would be created"
                : found()?.created === 1
                  ? "Create 1 znode"
                  : `Create ${(found()?.created ?? 0).toLocaleString("en")} znodes`}
          </button>
        </div>
      </form>
    </Dialog>
  )
}

const words = ({ created, kept, leftOut, withOtherAcl }: Grafted): string => {
  const count = (number: number, one: string, more: string): ReadonlyArray<string> =>
    number === 0 ? [] : [`${number.toLocaleString("en")} ${number === 1 ? one : more}`]
  const all = list([
    `${created.toLocaleString("en")} would be created`,
    ...count(kept, "is there already", "are there already"),
    ...count(leftOut, "is left out", "are left out"),
    ...count(
      withOtherAcl,
      "would get the ACL of the parent, because the hashes of its own are not known",
      "would get the ACL of the parent, because the hashes of their own are not known"
    )
  ])
  return `${all}.`
}
