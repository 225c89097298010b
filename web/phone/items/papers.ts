// Which papers hang on an item.
import type { Source } from '../papers/paper'
import type { Detail, File } from './types'

/** The whole case: what was found, asked, done, with the photos. There is one once the item has its number. */
export function caseFile(item: Pick<Detail, 'id' | 'number'>): Source {
  return { name: `items/${item.id}`, url: `/api/rectifications/${item.id}/case-file.pdf`, file: `${item.number ?? item.id}.pdf` }
}

/** Evidence that came as a PDF, a report of the unit for one. */
export function evidencePaper(file: Pick<File, 'id'>): Source {
  return { name: `evidence/${file.id}`, url: `/api/evidence/${file.id}/playback`, file: `${file.id}.pdf` }
}
