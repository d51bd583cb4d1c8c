import "../styles/recipes.css"
import type { Session, Sessions } from "@effect-zookeeper/console/SessionModels"
import { formatHex } from "@effect-zookeeper/console/Models"
import type { ReadFailure } from "@effect-zookeeper/console/ProtocolError"
import { createMemo, createSignal, For, Show } from "solid-js"
import { describe } from "../link/failures.ts"
import { again, useFeed } from "../link/run.ts"
import { counted } from "../model/text.ts"
import { duration, moment } from "../model/time.ts"
import { Icon } from "../parts/Icon.tsx"
import { Keyed } from "../parts/Keyed.tsx"
import { Note } from "../parts/Note.tsx"
import { usePage } from "../shell/page.ts"
import { Detail } from "./Detail.tsx"

/** Which session is whose, by the servers' own words, asked again every few seconds. */
export const SessionsView = () => {
  const { cluster, go, route } = usePage()
  const name = cluster()?.name ?? ""
  const [answer, setAnswer] = createSignal<Sessions>()
  const sessions = () => answer()?.sessions
  const [filter, setFilter] = createSignal("")
  const chosen = createMemo(() => /^\/(0x[0-9a-f]{1,16})$/.exec(route().path)?.[1])

  const feed = useFeed<Sessions, ReadFailure>(
    (client) => again(client.sessions({ cluster: name, filter: filter().trim(), limit: most })),
    setAnswer
  )
  const failure = createMemo(() => {
    const state = feed()
    return state._tag === "Failed" ? describe(state.error) : undefined
  })

  return (
    <div class="view">
      <div class="view-head">
        <h1>Sessions</h1>
        <label class="filter session-filter">
          <Icon name="search" />
          <input
            data-key="/"
            type="search"
            aria-label="Filter the sessions"
            placeholder="Session, address or server"
            value={filter()}
            onInput={(event) => setFilter(event.currentTarget.value)}
          />
        </label>
        <Show when={answer()}>
          {(answer) => (
            <span class="muted number" role="status">
              {answer().matching === answer().total
                ? counted(answer().total, "session")
                : `${answer().matching.toLocaleString("en")} of ${answer().total.toLocaleString("en")}`}
            </span>
          )}
        </Show>
      </div>
      <Show when={failure()}>{(text) => <Note tone="bad">{text()}</Note>}</Show>
      <For each={answer()?.problems}>{(problem) => <Note tone="warn">{problem}</Note>}</For>
      <Show when={chosen()} keyed>
        {(id) => <Detail id={id} onClose={() => go({ path: "/" })} />}
      </Show>
      <Show
        when={sessions()}
        fallback={
          <Show when={failure() === undefined}>
            <div class="empty">
              <p>Asking the servers …</p>
            </div>
          </Show>
        }
      >
        <div class="panel scroll-x" tabindex="0" role="region" aria-label="All sessions">
          <table class="sessions">
            <thead>
              <tr>
                <th>Session</th>
                <th>Client</th>
                <th>Server</th>
                <th>Connected</th>
                <th class="right">Ephemerals</th>
                <th class="right">Queued</th>
                <th class="right">Received / sent</th>
                <th>Timeout</th>
                <th>Last operation</th>
              </tr>
            </thead>
            <tbody>
              <Keyed
                each={sessions()}
                by={({ session }) => formatHex(session)}
                fallback={
                  <tr>
                    <td colspan="9" class="muted">
                      No session matches.
                    </td>
                  </tr>
                }
              >
                {(session) => <SessionRow session={session()} isChosen={formatHex(session().session) === chosen()} />}
              </Keyed>
            </tbody>
          </table>
          <Show when={(answer()?.matching ?? 0) > (sessions()?.length ?? 0)}>
            <p class="panel-body muted">The first {sessions()?.length} are shown: filter to find others.</p>
          </Show>
        </div>
      </Show>
    </div>
  )
}

const SessionRow = (props: { readonly session: Session; readonly isChosen: boolean }) => {
  const { cluster, href, now } = usePage()
  const id = () => formatHex(props.session.session)
  return (
    <tr classList={{ chosen: props.isChosen }}>
      <td>
        <a class="mono" href={href({ path: `/${id()}` })}>
          {id()}
        </a>
        <Show when={props.session.session === cluster()?.session}>
          {" "}
          <span class="badge good">this console</span>
        </Show>
      </td>
      <td class="mono">{props.session.client ?? "–"}</td>
      <td class="mono">{props.session.server ?? "–"}</td>
      <td class="number" title={props.session.connected === undefined ? "" : moment(props.session.connected)}>
        {props.session.connected === undefined ? "–" : duration(Math.max(0, now() - props.session.connected))}
      </td>
      <td class="number right">{props.session.ephemerals?.toLocaleString("en") ?? "–"}</td>
      <td class="number right">{props.session.queued?.toLocaleString("en") ?? "–"}</td>
      <td class="number right">
        {props.session.received?.toLocaleString("en") ?? "–"} / {props.session.sent?.toLocaleString("en") ?? "–"}
      </td>
      <td class="number">{props.session.timeout === undefined ? "–" : duration(props.session.timeout)}</td>
      <td>{props.session.lastOperation ?? "–"}</td>
    </tr>
  )
}

/** Rows of the table at most. */
const most = 500
