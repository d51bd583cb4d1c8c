import { formatHex } from "@effect-zookeeper/console/Models"
import type { EnsembleConfig } from "@effect-zookeeper/console/EnsembleModels"
import { createMemo, createSignal, For, Show } from "solid-js"
import { describe } from "../link/failures.ts"
import { useFeed } from "../link/run.ts"
import { changesOf, withConfig } from "../model/configuration.ts"
import { ago, moment } from "../model/time.ts"
import { usePage } from "../shell/page.ts"

/** The configuration of the ensemble, with the changes that the console has seen. */
export const Config = () => {
  const { cluster, now } = usePage()
  const name = cluster()?.name ?? ""
  const [configs, setConfigs] = createSignal<ReadonlyArray<EnsembleConfig>>([])
  const feed = useFeed(
    (client) => client.ensembleConfig({ cluster: name }),
    (config) => setConfigs((before) => withConfig(before, config))
  )
  const failure = createMemo(() => {
    const state = feed()
    return state._tag === "Failed" ? describe(state.error) : undefined
  })
  const changes = createMemo(() => changesOf(configs()))
  return (
    <section class="panel" aria-label="Configuration">
      <div class="panel-head">
        <h2>Configuration</h2>
        <Show when={configs()[0]}>
          {(latest) => <span class="badge mono">version {formatHex(latest().version)}</span>}
        </Show>
        <Show when={changes()[0]}>
          {(latest) => <span class="badge warn">changed {ago(latest().seen, now())}</span>}
        </Show>
      </div>
      <Show
        when={configs()[0]}
        fallback={
          <p class="panel-body muted">
            {failure() ?? (feed()._tag === "Ended" ? "The servers tell none." : "Reading it …")}
          </p>
        }
      >
        {(latest) => (
          <div class="scroll-x" tabindex="0" role="region" aria-label="Members of the configuration">
            <table>
              <thead>
                <tr>
                  <th>Member</th>
                  <th>Role</th>
                  <th>For clients</th>
                  <th>For members</th>
                </tr>
              </thead>
              <tbody>
                <For each={latest().members}>
                  {(member) => (
                    <tr>
                      <td class="number">{member.id}</td>
                      <td>{member.role}</td>
                      <td class="mono">{member.client ?? "–"}</td>
                      <td class="mono">{member.addresses.join(", ")}</td>
                    </tr>
                  )}
                </For>
              </tbody>
            </table>
          </div>
        )}
      </Show>
      <Show when={changes().length > 0}>
        <ol class="config-changes" aria-label="Changes of the configuration">
          <For each={changes()}>
            {({ seen, sentences, version }) => (
              <li>
                <span class="number muted" title={`version ${formatHex(version)}`}>
                  {moment(seen)}
                </span>
                <div>
                  <For each={sentences}>{(sentence) => <p>{sentence}</p>}</For>
                </div>
              </li>
            )}
          </For>
        </ol>
      </Show>
    </section>
  )
}
