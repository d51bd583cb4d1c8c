import "../styles/recipes.css"
import type { Session, SessionDetail, SessionPath, Sessions } from "@effect-zookeeper/console/EnsembleModels"
import { formatHex } from "@effect-zookeeper/console/Models"
import type { ReadFailure } from "@effect-zookeeper/console/ProtocolError"
import type * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { createMemo, createSignal, For, Show } from "solid-js"
import { describe } from "../link/failures.ts"
import type { Failure } from "../link/follow.ts"
import { useFeed } from "../link/run.ts"
import { duration, moment } from "../model/time.ts"
import { Icon } from "../parts/Icon.tsx"
import { Name } from "../parts/Name.tsx"
import { Note } from "../parts/Note.tsx"
import { usePage } from "../shell/page.ts"

/** Which session is whose, by the servers' own words, asked again every few seconds. */
export const SessionsView = () => {
  const { cluster, go, href, now, route } = usePage()
  const name = cluster()?.name ?? ""
  const [answer, setAnswer] = createSignal<Sessions>()
  const sessions = () => answer()?.sessions
  const [filter, setFilter] = createSignal("")
  const chosen = createMemo(() => /^\/(0x[0-9a-f]{1,16})$/.exec(route().path)?.[1])

  const feed = useFeed<Sessions, ReadFailure>((client) => again(client.sessions({ cluster: name })), setAnswer)
  const failure = createMemo(() => {
    const state = feed()
    return state._tag === "Failed" ? describe(state.error) : undefined
  })
  const matching = createMemo(() => {
    const text = filter().toLowerCase()
    return (sessions() ?? []).filter((session) => textOf(session).includes(text))
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
        <Show when={sessions()}>
          {(all) => (
            <span class="muted number" role="status">
              {matching().length === all().length
                ? `${all().length.toLocaleString("en")} sessions`
                : `${matching().length.toLocaleString("en")} of ${all().length.toLocaleString("en")}`}
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
              <For
                each={matching().slice(0, most)}
                fallback={
                  <tr>
                    <td colspan="9" class="muted">
                      No session matches.
                    </td>
                  </tr>
                }
              >
                {(session) => (
                  <tr classList={{ chosen: formatHex(session.session) === chosen() }}>
                    <td>
                      <a class="mono" href={href({ path: `/${formatHex(session.session)}` })}>
                        {formatHex(session.session)}
                      </a>
                      <Show when={session.session === cluster()?.session}>
                        {" "}
                        <span class="badge good">this console</span>
                      </Show>
                    </td>
                    <td class="mono">{session.client ?? "–"}</td>
                    <td class="mono">{session.server ?? "–"}</td>
                    <td class="number" title={session.connected === undefined ? "" : moment(session.connected)}>
                      {session.connected === undefined ? "–" : duration(Math.max(0, now() - session.connected))}
                    </td>
                    <td class="number right">{session.ephemerals?.toLocaleString("en") ?? "–"}</td>
                    <td class="number right">{session.queued?.toLocaleString("en") ?? "–"}</td>
                    <td class="number right">
                      {session.received?.toLocaleString("en") ?? "–"} / {session.sent?.toLocaleString("en") ?? "–"}
                    </td>
                    <td class="number">{session.timeout === undefined ? "–" : duration(session.timeout)}</td>
                    <td>{session.lastOperation ?? "–"}</td>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
          <Show when={matching().length > most}>
            <p class="panel-body muted">The first {most} are shown: filter to find others.</p>
          </Show>
        </div>
      </Show>
    </div>
  )
}

/** Rows of the table at most. */
const most = 500

const again = <A,>(ask: Effect.Effect<A, Failure<ReadFailure>>): Stream.Stream<A, Failure<ReadFailure>> =>
  Stream.fromEffectSchedule(ask, Schedule.spaced("5 seconds"))

const textOf = ({ client, server, session }: Session): string =>
  `${formatHex(session)} ${client ?? ""} ${server ?? ""}`.toLowerCase()

/** One session: where it is from, and what ends with it. */
const Detail = (props: { readonly id: string; readonly onClose: () => void }) => {
  const { cluster, href, now } = usePage()
  const name = cluster()?.name ?? ""
  const [detail, setDetail] = createSignal<SessionDetail>()
  const feed = useFeed<SessionDetail, ReadFailure>(
    (client) => again(client.session({ cluster: name, session: BigInt.asIntN(64, BigInt(props.id)) })),
    setDetail
  )
  const failure = createMemo(() => {
    const state = feed()
    return state._tag === "Failed" ? describe(state.error) : undefined
  })
  return (
    <section class="panel" aria-label={`Session ${props.id}`}>
      <div class="panel-head">
        <h2>
          Session <span class="mono">{props.id}</span>
        </h2>
        <span class="spring" />
        <button class="button quiet icon" aria-label="Close" onClick={() => props.onClose()}>
          <Icon name="close" />
        </button>
      </div>
      <div class="panel-body stack">
        <Show when={failure()}>{(text) => <Note tone="warn">{text()}</Note>}</Show>
        <Show
          when={detail()}
          fallback={
            <Show when={failure() === undefined}>
              <p class="muted">Asking the servers …</p>
            </Show>
          }
        >
          {(detail) => (
            <>
              <p>{sentence(detail().session, now())}</p>
              <For each={detail().problems}>{(problem) => <Note tone="warn">{problem}</Note>}</For>
              <div class="session-lists">
                <Paths
                  title="Ends with it"
                  none="It has no ephemeral znodes."
                  unknown="No server tells its ephemeral znodes."
                  paths={detail().ephemerals}
                  href={(path) => href({ view: "tree", path })}
                />
                <Paths
                  title="Watches"
                  none="It watches nothing."
                  unknown="No server tells its watches."
                  paths={detail().watches}
                  href={(path) => href({ view: "tree", path })}
                />
              </div>
              <Show when={detail().isTruncated}>
                <p class="muted">The lists are longer than this.</p>
              </Show>
            </>
          )}
        </Show>
      </div>
    </section>
  )
}

const sentence = ({ client, connected, server, timeout }: Session, now: number): string => {
  const from =
    client === undefined ? "No server tells where its client is: it may be disconnected" : `Its client is at ${client}`
  const at = server === undefined ? "" : `, connected to ${server}`
  const since = connected === undefined ? "" : ` for ${duration(Math.max(0, now - connected))}`
  const end = timeout === undefined ? "" : ` The servers end it ${duration(timeout)} after they have last heard of it.`
  return `${from}${at}${since}.${end}`
}

const Paths = (props: {
  readonly title: string
  readonly none: string
  readonly unknown: string
  readonly paths: ReadonlyArray<typeof SessionPath.Type> | undefined
  readonly href: (path: string) => string
}) => (
  <section>
    <h3>{props.title}</h3>
    <Show when={props.paths} fallback={<p class="muted">{props.unknown}</p>}>
      {(paths) => (
        <ul class="path-list">
          <For each={paths()} fallback={<li class="muted">{props.none}</li>}>
            {({ isInside, path }) => (
              <li>
                <Show when={isInside} fallback={<Name text={path} />}>
                  <a href={props.href(path)}>
                    <Name text={path} />
                  </a>
                </Show>
              </li>
            )}
          </For>
        </ul>
      )}
    </Show>
  </section>
)
