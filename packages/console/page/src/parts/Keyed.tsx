import { type Accessor, createMemo, For, type JSX, Show } from "solid-js"

/**
 * A list whose elements stay for as long as their keys do, and with them the focus and the selection of a person. What comes
 * anew from the server is another object each time, for which `For` makes another element.
 */
export const Keyed = <A extends object>(props: {
  readonly each: ReadonlyArray<A> | undefined
  readonly by: (item: A) => string
  readonly fallback?: JSX.Element
  readonly children: (item: Accessor<A>, index: Accessor<number>) => JSX.Element
}) => {
  const items = createMemo(() => new Map((props.each ?? []).map((item) => [props.by(item), item] as const)))
  const keys = createMemo(() => [...items().keys()])
  return (
    <For each={keys()} fallback={props.fallback}>
      {(key, index) => <Show when={items().get(key)}>{(item) => props.children(item, index)}</Show>}
    </For>
  )
}
