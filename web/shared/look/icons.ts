/** Our own icons on a grid of 24, drawn as lines; nothing is fetched for them. */
const SHAPES = {
  back: '<path d="M15 5l-7 7 7 7"/>',
  next: '<path d="M9 5l7 7-7 7"/>',
  home: '<path d="M4 11l8-7 8 7v8a1 1 0 0 1-1 1h-4v-6h-6v6H5a1 1 0 0 1-1-1z"/>',
  card: '<rect x="3" y="5" width="18" height="14" rx="2.5"/><path d="M3 10h18M7 15h4"/>',
  code: '<path d="M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2h-2zM18 14h2v2h-2zM14 18h2v2h-2zM18 18h2v2h-2z"/>',
  wallet: '<path d="M4 7a2 2 0 0 1 2-2h11v3M4 7v10a2 2 0 0 0 2 2h13a1 1 0 0 0 1-1V9a1 1 0 0 0-1-1H5"/><circle cx="16" cy="13.5" r="1"/>',
  receipt: '<path d="M6 3h12v18l-3-2-3 2-3-2-3 2zM9 8h6M9 12h6"/>',
  bell: '<path d="M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 21h4"/>',
  person: '<circle cx="12" cy="8" r="4"/><path d="M4 20c1-4 4.500-6 8-6s7 2 8 6"/>',
  phone: '<rect x="7" y="3" width="10" height="18" rx="2"/><path d="M11 18h2"/>',
  shield: '<path d="M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6z"/><path d="M9 12l2 2 4-4"/>',
  lost: '<path d="M12 4l9 16H3z"/><path d="M12 10v4M12 17v.5"/>',
  key: '<circle cx="8" cy="15" r="4"/><path d="M11 12l8-8M16 7l2 2"/>',
  refresh: '<path d="M19 8a8 8 0 1 0 1 6M19 4v4h-4"/>',
  language: '<circle cx="12" cy="12" r="9"/><path d="M3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18"/>',
  larger: '<path d="M3 19l5-14 5 14M5 14h6M15 19l3-8 3 8M16 16h4"/>',
  offline: '<path d="M4 4l16 16M8 9a10 10 0 0 0-3 2M11 6a12 12 0 0 1 10 4M9 14a5 5 0 0 1 5 0M12 19v.5"/>',
  done: '<path d="M5 13l5 5 9-11"/>',
  close: '<path d="M6 6l12 12M18 6L6 18"/>',
  face: '<circle cx="12" cy="12" r="9"/><path d="M8.500 14.500c1 1.500 2 2 3.500 2s2.500-.5 3.500-2M9 9.500v.5M15 9.500v.5"/>',
  counter: '<path d="M3 20V11h18v9M2 11h20M8 11V8a4 4 0 0 1 8 0v3"/>',
  drop: '<path d="M12 3c4 5 6.500 8 6.500 11.500a6.500 6.500 0 0 1-13 0C5.500 11 8 8 12 3z"/><path d="M9 15a3 3 0 0 0 3 3"/>',
  bolt: '<path d="M13 3L5 14h6l-1 7 8-11h-6z"/>',
  flame: '<path d="M12 3c1 4 5.500 6 5.500 11.500a5.500 5.500 0 0 1-11 0C6.500 12 8 10.500 8.500 8.500c1.500 1 2 2 2 3C11.500 9 12 6 12 3z"/>',
  scan: '<path d="M4 8V5a1 1 0 0 1 1-1h3M16 4h3a1 1 0 0 1 1 1v3M20 16v3a1 1 0 0 1-1 1h-3M8 20H5a1 1 0 0 1-1-1v-3M4 12h16"/>',
} as const

export type IconName = keyof typeof SHAPES

/** What lies inside the picture of an icon, for a page that draws it itself: an element is shown sooner than a picture that must be read first. */
export const iconShapes = (name: IconName): string => SHAPES[name]

/** The icon as an address for a CSS mask, so that it takes the colour of the text around it, where pages may not draw. */
export function iconMask(name: IconName): string {
  const picture = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#000" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round">${SHAPES[name]}</svg>`
  return `url("data:image/svg+xml,${encodeURIComponent(picture)}")`
}
