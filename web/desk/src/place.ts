/** Which page stands open, kept in the address after the #, so that back and reload work. */
import { ref } from 'vue'

export const PLACES = ['till', 'charges', 'identity', 'loss', 'operator', 'staff', 'password', 'join', 'check'] as const
export type Place = (typeof PLACES)[number]
/** What needs a person alone, and no terminal. */
export const OF_PERSONS: ReadonlySet<Place> = new Set(['operator', 'staff', 'password', 'join'])

interface Here {
  readonly place: Place
  /** What the place is about: a charge, or under identity a guardian. */
  readonly about: string
}

function read(): Here {
  const [name = '', about = ''] = location.hash.replace(/^#\/?/, '').split('/')
  return { place: PLACES.find((each) => each === name) ?? 'till', about }
}

export const here = ref<Here>(read())
window.addEventListener('hashchange', () => (here.value = read()))

export function addressOf(place: Place, about = ''): string {
  return about ? `#/${place}/${about}` : `#/${place}`
}
