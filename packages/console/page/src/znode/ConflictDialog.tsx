import { createMemo, createSignal, Show } from "solid-js"
import type { Draft, Theirs } from "../model/draft.ts"
import { mergeBoth } from "../model/merge.ts"
import { ago } from "../model/time.ts"
import { Dialog } from "../parts/Dialog.tsx"
import { Name } from "../parts/Name.tsx"
import { Note } from "../parts/Note.tsx"
import { usePage } from "../shell/page.ts"
import { CodeEditor } from "./CodeEditor.tsx"

/** The three texts of a conflict: what one started from, what is there now, and one's own, which can still be edited. */
export const ConflictDialog = (props: {
  readonly path: string
  readonly base: Draft["base"]
  /** The state that is shown, and that alone is saved over. */
  readonly theirs: Theirs
  /** A state after that one. */
  readonly newer: Theirs | undefined
  readonly mine: string
  readonly isJson: boolean
  readonly isSaving: boolean
  readonly failure: string | undefined
  readonly onType: (text: string) => void
  readonly onSave: () => void
  /** Shows the newer state. */
  readonly onLook: () => void
  /** There is nothing left to save. */
  readonly onDone: () => void
  readonly onClose: () => void
}) => {
  const { now } = usePage()
  const [typedBefore, setTypedBefore] = createSignal<string>()
  const both = createMemo(() =>
    props.theirs.text === undefined ? undefined : mergeBoth(props.base.text, props.theirs.text, props.mine)
  )
  const canMerge = () => both() !== undefined && both() !== props.mine
  const take = (text: string): void => {
    setTypedBefore(props.mine)
    props.onType(text)
  }
  return (
    <Dialog title="Someone else has changed it" isWide onClose={props.onClose}>
      <p>
        <Name text={props.path} /> was at version {props.base.version} when you began, and is at version{" "}
        {props.theirs.stat.version} since {ago(props.theirs.stat.mtime, now())}. Nothing of yours is lost, and nothing
        of theirs is overwritten before you say so.
      </p>
      <Show when={props.newer}>
        {(newer) => (
          <Note tone="warn">
            It has changed again, and is at version {newer().stat.version} now: look at it before you save.{" "}
            <button class="button" onClick={() => props.onLook()}>
              Compare with version {newer().stat.version}
            </button>
          </Note>
        )}
      </Show>
      <Show when={props.theirs.text === props.mine}>
        <Note tone="good">
          What is there now is the same text as yours.{" "}
          <button class="button" onClick={() => props.onDone()}>
            There is nothing to save
          </button>
        </Note>
      </Show>
      <Show when={canMerge()}>
        <Note tone="good">
          The changes are in different places, and fit together.{" "}
          <button class="button" onClick={() => take(both() ?? props.mine)}>
            Put theirs into mine
          </button>
        </Note>
      </Show>
      <Show when={both() === undefined && props.theirs.text !== undefined}>
        <Note tone="warn">
          Both of you have changed the same place. What you save replaces theirs: put into yours what you want to keep.
        </Note>
      </Show>
      <div class="three">
        <section aria-label="What you started from">
          <h3>You started from version {props.base.version}</h3>
          <CodeEditor label="What you started from" text={props.base.text} isJson={props.isJson} isReadOnly />
        </section>
        <section aria-label="What is there now">
          <h3>There now: version {props.theirs.stat.version}</h3>
          <Show
            when={props.theirs.text !== undefined}
            fallback={<div class="empty">It is not text, or may not be read.</div>}
          >
            <CodeEditor
              label="What is there now"
              text={props.theirs.text ?? ""}
              original={props.base.text}
              isJson={props.isJson}
              isReadOnly
            />
          </Show>
        </section>
        <section aria-label="Yours">
          <h3>Yours, to be saved</h3>
          <CodeEditor
            label="Yours"
            text={props.mine}
            original={props.base.text}
            isJson={props.isJson}
            isReadOnly={false}
            onChange={props.onType}
          />
        </section>
      </div>
      <Show when={props.failure}>{(text) => <Note tone="bad">{text()} Your text is kept.</Note>}</Show>
      <div class="row end">
        <Show when={typedBefore()}>
          {(text) => (
            <button
              class="button quiet"
              onClick={() => {
                props.onType(text())
                setTypedBefore()
              }}
            >
              Back to what I typed
            </button>
          )}
        </Show>
        <Show when={props.theirs.text !== undefined && props.theirs.text !== props.mine}>
          <button class="button" onClick={() => take(props.theirs.text ?? "")}>
            Take theirs
          </button>
        </Show>
        <span class="spring" />
        <button class="button" autofocus onClick={() => props.onClose()}>
          Go on editing
        </button>
        <button
          class="button primary"
          disabled={props.isSaving || props.newer !== undefined}
          onClick={() => props.onSave()}
        >
          {props.isSaving ? "Saving …" : `Save mine over version ${props.theirs.stat.version}`}
        </button>
      </div>
    </Dialog>
  )
}
