/** The icons of the page: lines on a grid of 16, in the colour of the text beside them. They say nothing that text does not. */

const paths = {
  tree: "M3 2.5v9.5h3.5M3 6.5h3.5M9 4.5V8M8.5 6.5h5M8.5 12h5",
  ensemble: "M2.5 3h11v3.5h-11zM2.5 9.5h11V13h-11zM5 4.75h.01M5 11.25h.01",
  recipes: "M4.5 7V5a3.5 3.5 0 0 1 7 0v2M3.5 7h9v6.5h-9zM8 9.5V11",
  sessions: "M8 8.2a2.6 2.6 0 1 0 0-5.2 2.6 2.6 0 0 0 0 5.2ZM3 13.5c.5-2.3 2.4-3.6 5-3.6s4.5 1.3 5 3.6",
  events: "M2.5 4h11M2.5 8h7M2.5 12h9.5",
  right: "M6 3.5 10.5 8 6 12.5",
  down: "M3.5 6 8 10.5 12.5 6",
  up: "M3.5 10.5 8 6l4.5 4.5",
  left: "M10 3.5 5.5 8l4.5 4.5",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.3 10.3 13.5 13.5",
  close: "M4 4l8 8M12 4l-8 8",
  warn: "M8 2.5 14 13H2ZM8 6.5v3M8 11.3v.01",
  info: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 7.5V11M8 5.2v.01",
  good: "M3 8.5l3.5 3.5L13 4.5",
  bad: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM6 6l4 4M10 6l-4 4",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  add: "M8 3v10M3 8h10",
  trash: "M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.5 9h6l.5-9",
  edit: "M3 13l.6-2.9L10.5 3.2l2.3 2.3L5.9 12.4Z",
  refresh: "M13 8a5 5 0 1 1-1.6-3.7M13 2.5V5h-2.5",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3.5 12.5 8 5 12.5Z",
  sun: "M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6ZM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9",
  moon: "M13 9.7A5.5 5.5 0 0 1 6.3 3a5.5 5.5 0 1 0 6.7 6.7Z",
  auto: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 2v12M10 4v8M12 6v4",
  help: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM6.3 6.5a1.7 1.7 0 1 1 2.4 1.6c-.5.2-.7.5-.7 1M8 11.2v.01",
  save: "M8 2.5V10M4.8 7 8 10.2 11.2 7M3 13.5h10",
  lock: "M5 7V5a3 3 0 0 1 6 0v2M3.5 7h9v6.5h-9z",
  link: "M6.5 9.5l3-3M7 4.5l1-1a2.8 2.8 0 0 1 4 4l-1 1M9 11.5l-1 1a2.8 2.8 0 0 1-4-4l1-1",
  history: "M2.8 8a5.2 5.2 0 1 0 1.7-3.8M2.5 2.5V5H5M8 5v3.2l2 1.3"
} as const

export type IconName = keyof typeof paths

export const Icon = (props: { readonly name: IconName; readonly size?: number }) => (
  <svg
    width={props.size ?? 16}
    height={props.size ?? 16}
    viewBox="0 0 16 16"
    fill="none"
    stroke="currentColor"
    stroke-width="1.4"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    <path d={paths[props.name]} />
  </svg>
)
