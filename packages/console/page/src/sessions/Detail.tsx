import type { Session, SessionDetail, SessionPath, SessionWatches } from "@effect-zookeeper/console/SessionModels"
import type { ReadFailure } from "@effect-zookeeper/console/ProtocolError"
import { createMemo, createSignal, For, type JSX, Show } from "solid-js"
import { describe } from "../link/failures.ts"
import { again, useFeed, useQuestion } from "../link/run.ts"
import { duration } from "../model/time.ts"
import { Icon } from "../parts/Icon.tsx"
import { Keyed } from "../parts/Keyed.tsx"
import { Name } from "../parts/Name.tsx"
import { Note } from "../parts/Note.tsx"
import { usePage } from "../shell/page.ts"

/** One session: where it is from, and what ends with it. */
export const Detail = (props: { readonly id: string; readonly onClose: () => void }) => {
  const { cluster, now } = usePage()
  const name = cluster()?.name ?? ""
  const session = BigInt.asIntN(64, BigInt(props.id))
  const [detail, setDetail] = createSignal<SessionDetail>()
  const feed = useFeed<SessionDetail, ReadFailure>(
    (client) => again(client.session({ cluster: name, session })),
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
                <section>
                  <h3>Ends with it</h3>
                  <Show
                    when={detail().ephemerals}
                    fallback={<p class="muted">No server tells its ephemeral znodes.</p>}
                  >
                    {(paths) => (
                      <Paths none="It has no ephemeral znodes." paths={paths()} isTruncated={detail().isTruncated} />
                    )}
                  </Show>
                </section>
                <Watches cluster={name} session={session} />
              </div>
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

/** The servers are asked for all watches of all sessions: only when a person wants to know. */
const Watches = (props: { readonly cluster: string; readonly session: bigint }) => {
  const { link } = usePage()
  const [answer, setAnswer] = createSignal<SessionWatches>()
  const asking = useQuestion<SessionWatches, ReadFailure>(setAnswer)
  const ask = (): void => asking.start(link.client.watches({ cluster: props.cluster, session: props.session }))
  const failure = (): string | undefined => {
    const state = asking.state()
    return state._tag === "Failed" ? describe(state.error, "question") : undefined
  }
  return (
    <section>
      <h3>Watches</h3>
      <Show when={answer()}>
        {(answer) => (
          <>
            <For each={answer().problems}>{(problem) => <Note tone="warn">{problem}</Note>}</For>
            <Paths none="It watches nothing." paths={answer().watches} isTruncated={answer().isTruncated} />
          </>
        )}
      </Show>
      <Show when={failure()}>{(text) => <Note tone="warn">{text()}</Note>}</Show>
      <Show when={answer() === undefined && failure() === undefined}>
        <p class="muted">The servers have to list all watches of all sessions, which is costly where there are many.</p>
      </Show>
      <button class="button" disabled={asking.state()._tag === "Running"} onClick={ask}>
        {asking.state()._tag === "Running" ? "Asking …" : answer() === undefined ? "Ask for its watches" : "Ask again"}
      </button>
    </section>
  )
}

const Paths = (props: {
  readonly none: string
  readonly paths: ReadonlyArray<SessionPath>
  readonly isTruncated: boolean
}): JSX.Element => {
  const { href } = usePage()
  return (
    <>
      <ul class="path-list">
        <Keyed
          each={props.paths}
          by={({ isInside, path }) => `${isInside} ${path}`}
          fallback={<li class="muted">{props.none}</li>}
        >
          {(one) => (
            <li>
              <Show when={one().isInside} fallback={<Name text={one().path} />}>
                <a href={href({ view: "tree", path: one().path })}>
                  <Name text={one().path} />
                </a>
              </Show>
            </li>
          )}
        </Keyed>
      </ul>
      <Show when={props.isTruncated}>
        <p class="muted">The list is longer than this.</p>
      </Show>
    </>
  )
}
