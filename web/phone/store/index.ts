// The door to what this phone keeps. Others import from here only; the contract stands in web/README.md.
export { onChange } from './changes'
export { askToKeep, insist, kept, measureRoom, nearlyFull, room } from './room'
export { getSetting, putSetting, removeSetting, type DeviceSettings } from './settings'
export { documents, files, person, setOwner, Shelf, write } from './shelves'
export type { AboutFile, Change, Document, Thing } from './shelves'
export { unsentOf, wipeDocuments, type Unsent } from './wiping'
