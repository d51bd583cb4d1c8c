import type { Finding } from "@effect-zookeeper/console/EnsembleModels"
import type { ReadFailure } from "@effect-zookeeper/console/ProtocolError"
import { createEffect, createSignal, For, on, Show } from "solid-js"
import { describe } from "../link/failures.ts"
import { useQuestion } from "../link/run.ts"
import { Icon } from "../parts/Icon.tsx"
import { Name } from "../parts/Name.tsx"
import { Note } from "../parts/Note.tsx"
import { usePage } from "../shell/page.ts"

const tones = { error: "bad", warning: "warn", note: "info" } as const

/** What is odd about the ensemble. It is looked at once when one comes, and again when one asks. */
export const Doctor = () => {
  const { cluster, link } = usePage()
  const [findings, setFindings] = createSignal<ReadonlyArray<Finding>>()
  const asking = useQuestion<ReadonlyArray<Finding>, ReadFailure>(setFindings)
  const name = cluster()?.name ?? ""
  const ask = (isAnew: boolean): void => asking.start(link.client.doctor({ cluster: name, isAnew }))
  createEffect(on(link.epoch, () => ask(false)))
  const failure = () => {
    const state = asking.state()
    return state._tag === "Failed" ? describe(state.error) : undefined
  }
  return (
    <section class="panel" aria-label="Findings of the doctor">
      <div class="panel-head">
        <h2>Doctor</h2>
        <span class="spring" />
        <button class="button quiet" disabled={asking.state()._tag === "Running"} onClick={() => ask(true)}>
          <Icon name="refresh" size={14} /> Look again
        </button>
      </div>
      <div class="panel-body stack">
        <Show when={failure()}>{(text) => <p class="muted">{text()}</p>}</Show>
        <Show
          when={findings()}
          fallback={
            <Show when={failure() === undefined}>
              <p class="muted">Examining the ensemble …</p>
            </Show>
          }
        >
          {(findings) => (
            <For each={findings()} fallback={<Note tone="good">Nothing odd was found.</Note>}>
              {({ advice, message, severity, where }) => (
                <Note tone={tones[severity]}>
                  <Show when={where !== ""}>
                    <strong>
                      <Name text={where} />
                    </strong>
                    :{" "}
                  </Show>
                  {message}
                  <Show when={advice}>{(text) => <span class="detail">{text()}</span>}</Show>
                </Note>
              )}
            </For>
          )}
        </Show>
      </div>
    </section>
  )
}
