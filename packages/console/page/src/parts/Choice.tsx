import { For } from "solid-js"

/** One of a few, side by side. */
export const Choice = <A extends string>(props: {
  readonly label: string
  readonly options: ReadonlyArray<{ readonly value: A; readonly text: string }>
  readonly value: A
  readonly onChoose: (value: A) => void
}) => (
  <div class="choice" role="group" aria-label={props.label}>
    <For each={props.options}>
      {({ text, value }) => (
        <button type="button" aria-pressed={props.value === value} onClick={() => props.onChoose(value)}>
          {text}
        </button>
      )}
    </For>
  </div>
)
