import type * as Models from "@effect-zookeeper/console/Models"
import { createSignal, For, Show } from "solid-js"
import { kindOf, size, textOf } from "../model/data.ts"
import { clock } from "../model/time.ts"
import { Dialog } from "../parts/Dialog.tsx"
import { CodeEditor } from "./CodeEditor.tsx"

/** What was seen of a znode while one looked at it; each state opens with what it changed. */
export const HistoryPanel = (props: { readonly history: ReadonlyArray<Models.ZnodeEvent> }) => {
  const [shown, setShown] = createSignal<{ readonly now: string; readonly before: string; readonly title: string }>()
  const open = (index: number): void => {
    const now = props.history[index]
    const before = props.history[index + 1]
    if (now?._tag !== "present") return
    setShown({
      title: `Version ${now.stat.version}, seen ${clock(now.time).slice(0, 8)}`,
      now: textAt(now) ?? "",
      before: (before === undefined ? undefined : textAt(before)) ?? ""
    })
  }
  return (
    <Show when={props.history.length > 1}>
      <section class="panel" aria-label="Seen so far">
        <div class="panel-head">
          <h2>Seen while you looked</h2>
          <span class="badge number">{props.history.length}</span>
        </div>
        <ol class="seen">
          <For each={props.history}>
            {(event, index) => (
              <li>
                <button class="seen-one" disabled={textAt(event) === undefined} onClick={() => open(index())}>
                  <span class="number muted">{clock(event.time).slice(0, 8)}</span>
                  <span>{words(event)}</span>
                  <Show when={event.afterGap}>
                    <span
                      class="badge warn"
                      title="The connection was lost before this: states in between may have been missed."
                    >
                      after a gap
                    </span>
                  </Show>
                </button>
              </li>
            )}
          </For>
        </ol>
        <Show when={shown()} keyed>
          {(shown) => (
            <Dialog title={shown.title} isWide onClose={() => setShown()}>
              <CodeEditor
                label="What it changed"
                class="tall"
                text={shown.now}
                original={shown.before}
                isJson={false}
                isReadOnly
              />
              <div class="row end">
                <button class="button" autofocus onClick={() => setShown()}>
                  Close
                </button>
              </div>
            </Dialog>
          )}
        </Show>
      </section>
    </Show>
  )
}

const textAt = (event: Models.ZnodeEvent): string | undefined =>
  event._tag === "present" && event.data !== undefined && kindOf(event.data) !== "binary"
    ? textOf(event.data)
    : undefined

const words = (event: Models.ZnodeEvent): string =>
  event._tag === "gone" ? "deleted" : `version ${event.stat.version}, ${size(event.stat.dataLength)}`
