import type { Stat, SubtreeSize } from "@effect-zookeeper/console/Models"
import type { ReadFailure } from "@effect-zookeeper/console/ProtocolError"
import { createSignal, onMount, Show } from "solid-js"
import { describe } from "../link/failures.ts"
import { useChange, useQuestion } from "../link/run.ts"
import { size } from "../model/data.ts"
import { isTyped, line } from "../model/text.ts"
import { nameOf } from "../model/znodePath.ts"
import { Dialog } from "../parts/Dialog.tsx"
import { Name } from "../parts/Name.tsx"
import { Note } from "../parts/Note.tsx"
import { limitsBefore, usePage } from "../shell/page.ts"

/** Deletes a znode, or a subtree: it says how many znodes that are, and asks for the name. */
export const DeleteDialog = (props: {
  readonly path: string
  readonly stat: Stat
  readonly onClose: () => void
  readonly onDeleted: (count: number) => void
}) => {
  const { cluster, hello, link } = usePage()
  const seen = props.stat
  const name = nameOf(props.path)
  const at = () => ({ cluster: cluster()?.name ?? "", path: props.path })
  const [typed, setTyped] = createSignal("")
  const [below, setBelow] = createSignal<typeof SubtreeSize.Type>()
  const counting = useQuestion<typeof SubtreeSize.Type, ReadFailure>(setBelow)
  const deleting = useChange<{ readonly deleted: number }>(({ deleted }) => props.onDeleted(deleted))
  const limit = () => (hello()?.limits ?? limitsBefore).removal
  const isTooMuch = () => (below()?.znodes ?? 0) > limit()

  const count = (): void => counting.start(link.client.subtreeSize(at()))
  onMount(count)

  const remove = (event: SubmitEvent): void => {
    event.preventDefault()
    const znodes = below()?.znodes
    if (znodes === undefined || !isTyped(typed(), name) || isTooMuch()) return
    deleting.start(
      link.client.remove({
        ...at(),
        czxid: seen.czxid,
        version: seen.version,
        ...(znodes > 1 ? { subtree: { znodes } } : {})
      })
    )
  }
  const failure = () => {
    const state = deleting.state()
    const other = counting.state()
    if (state._tag === "Failed") return { error: state.error, text: describe(state.error, "change") }
    return other._tag === "Failed" ? { error: other.error, text: describe(other.error, "question") } : undefined
  }
  return (
    <Dialog title={seen.numChildren > 0 ? "Delete a subtree" : "Delete a znode"} onClose={props.onClose}>
      <form class="stack" onSubmit={remove}>
        <p>
          <Name text={props.path} />
        </p>
        <Show when={below()} fallback={<p class="muted">Counting the znodes below it …</p>}>
          {(below) => (
            <Show
              when={below().znodes > 1}
              fallback={<p>It has no children. It is deleted only if it still has version {seen.version}.</p>}
            >
              <Note tone={isTooMuch() ? "bad" : "warn"}>
                <strong>{below().znodes.toLocaleString("en")} znodes</strong>
                <Show when={below().bytes}>{(bytes) => <> with {size(bytes())} of data</>}</Show> are deleted, one after
                the other.
                <Show when={isTooMuch()}>
                  {" "}
                  That is more than the page deletes at once ({limit().toLocaleString("en")}).
                </Show>
              </Note>
            </Show>
          )}
        </Show>
        <label class="stack tight">
          <span>
            Type the name <Name text={name} /> to confirm
          </span>
          <input
            class="field mono"
            autofocus
            autocomplete="off"
            spellcheck={false}
            value={typed()}
            placeholder={line(name)}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
        <Show when={failure()}>
          {(failure) => (
            <Note tone="bad">
              {failure().text}
              <Show when={counting.state()._tag === "Failed" || failure().error._tag === "MoreBelow"}>
                {" "}
                <button
                  type="button"
                  class="button"
                  onClick={() => {
                    deleting.forget()
                    count()
                  }}
                >
                  Count again
                </button>
              </Show>
            </Note>
          )}
        </Show>
        <div class="row end">
          <button type="button" class="button" onClick={() => props.onClose()}>
            Cancel
          </button>
          <button
            class="button danger primary"
            disabled={
              !isTyped(typed(), name) || below() === undefined || isTooMuch() || deleting.state()._tag === "Running"
            }
          >
            {deleting.state()._tag === "Running"
              ? "Deleting …"
              : (below()?.znodes ?? 1) > 1
                ? `Delete ${(below()?.znodes ?? 1).toLocaleString("en")} znodes`
                : "Delete"}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
