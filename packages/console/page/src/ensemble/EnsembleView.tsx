import type { Member } from "@effect-zookeeper/console/EnsembleModels"
import { createMemo, createSignal, For, Show } from "solid-js"
import { describe } from "../link/failures.ts"
import { useFeed } from "../link/run.ts"
import { add, assess, figures, incompleteness, lastAnswer, makeHistory, summary } from "../model/ensemble.ts"
import { ago, clock } from "../model/time.ts"
import { Note } from "../parts/Note.tsx"
import { usePage } from "../shell/page.ts"
import { Config } from "./Config.tsx"
import { Doctor } from "./Doctor.tsx"
import { Plots } from "./Plots.tsx"
import { WordDialog } from "./WordDialog.tsx"

/** Every member by its own words, now and over the last hour. */
export const EnsembleView = () => {
  const { cluster } = usePage()
  const name = cluster()?.name ?? ""
  const history = makeHistory()
  const [revision, setRevision] = createSignal(0)
  const [asked, setAsked] = createSignal<Member>()

  const feed = useFeed(
    (client) => client.ensemble({ cluster: name }),
    (event) => {
      add(history, event)
      setRevision((revision) => revision + 1)
    }
  )
  const members = createMemo(() => {
    revision()
    return history.latest?.members ?? []
  })
  const state = createMemo(() => summary(members(), (revision(), history.latest?.voters)))
  const failure = createMemo(() => {
    const now = feed()
    return now._tag === "Failed" ? describe(now.error) : undefined
  })

  return (
    <div class="view">
      <div class="view-head">
        <h1>Ensemble</h1>
        <Show when={feed()._tag === "Stale"}>
          <span class="badge bad">from before: {clock(history.latest?.time ?? 0).slice(0, 8)}</span>
        </Show>
      </div>
      <Show when={failure()}>{(text) => <Note tone="bad">{text()}</Note>}</Show>
      <Show
        when={members().length > 0}
        fallback={
          <Show when={failure() === undefined}>
            <div class="empty">
              <p>Asking the members …</p>
            </div>
          </Show>
        }
      >
        <Note tone={state().health}>{state().text}</Note>
        <Show when={incompleteness(members())}>{(text) => <p class="muted">{text()}</p>}</Show>
        <ul class="members">
          <For each={members().map(({ server }) => server)}>
            {(server, index) => (
              <MemberCard
                member={members().find((member) => member.server === server)}
                colour={index()}
                lastAnswer={(revision(), lastAnswer(history, server))}
                onAsk={setAsked}
              />
            )}
          </For>
        </ul>
        <Plots history={history} revision={revision()} />
      </Show>
      <div class="ensemble-more">
        <Doctor />
        <Config />
      </div>
      <Show when={asked()} keyed>
        {(member) => <WordDialog server={member.server} onClose={() => setAsked()} />}
      </Show>
    </div>
  )
}

const MemberCard = (props: {
  readonly member: Member | undefined
  readonly colour: number
  readonly lastAnswer: number | undefined
  readonly onAsk: (member: Member) => void
}) => (
  <Show when={props.member}>
    {(member) => {
      const state = createMemo(() => assess(member()))
      return (
        <li class={`panel member ${state().health}`}>
          <div class="row">
            <span class={`swatch series-${props.colour % 6}`} aria-hidden="true" />
            <h2 class="mono member-name">{member().server}</h2>
            <span class="spring" />
            <span class={`badge ${state().health === "good" && state().word !== "leader" ? "" : state().health}`}>
              {state().word}
            </span>
          </div>
          <For each={state().remarks}>{(remark) => <p class="remark">{remark}</p>}</For>
          <Show when={member().state === "unreachable" || member().state === "silent"}>
            <LastAnswer at={props.lastAnswer} />
          </Show>
          <dl class="figures">
            <For each={figures(member())}>
              {([name, value]) => (
                <div>
                  <dt>{name}</dt>
                  <dd class="number">{value}</dd>
                </div>
              )}
            </For>
          </dl>
          <Show when={member().state !== "unreachable"}>
            <div>
              <button class="button quiet" onClick={() => props.onAsk(member())}>
                Ask it …
              </button>
            </div>
          </Show>
        </li>
      )
    }}
  </Show>
)

const LastAnswer = (props: { readonly at: number | undefined }) => {
  const { now } = usePage()
  return (
    <Show when={props.at} fallback={<p class="muted">It has not answered since this console looks.</p>}>
      {(at) => (
        <p class="muted">
          It answered last at {clock(at()).slice(0, 8)}, {ago(at(), now())}.
        </p>
      )}
    </Show>
  )
}
