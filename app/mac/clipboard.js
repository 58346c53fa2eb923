// The clipboard, by osascript: run with what to do and a folder. "read" puts a picture that is there into the file "picture" and answers its
// form, or files; "picture" takes that file, a PNG, and "files" the paths in the file "files".
ObjC.import('AppKit')

function none(o) {
  return !o || o.isNil()
}

function run(argv) {
  const [what, folder] = argv
  const board = $.NSPasteboard.generalPasteboard
  switch (what) {
    case 'read':
      return JSON.stringify(read(board, folder + '/picture'))
    case 'picture': {
      const data = $.NSData.dataWithContentsOfFile(folder + '/picture')
      if (none(data)) throw new Error('the picture cannot be read')
      board.clearContents // a call: that is how methods without arguments are called here
      if (!board.setDataForType(data, 'public.png')) throw new Error('the clipboard takes no picture')
      return '{}'
    }
    case 'files': {
      const data = $.NSData.dataWithContentsOfFile(folder + '/files')
      if (none(data)) throw new Error('the list of files cannot be read')
      const urls = $.NSMutableArray.array
      for (const path of JSON.parse($.NSString.alloc.initWithDataEncoding(data, 4).js)) { // 4: UTF-8
        urls.addObject($.NSURL.fileURLWithPath(path))
      }
      board.clearContents
      if (!board.writeObjects(urls)) throw new Error('the clipboard takes no files')
      return '{}'
    }
  }
  throw new Error('cannot do ' + what)
}

// Files come first: Finder puts the picture of their icons beside them.
function read(board, to) {
  const files = []
  const items = board.pasteboardItems
  for (let i = 0; !none(items) && i < items.count; i++) {
    const text = items.objectAtIndex(i).stringForType('public.file-url')
    const url = none(text) ? null : $.NSURL.URLWithString(text)
    if (none(url)) continue
    const named = url.filePathURL // Finder names a file by its number on the disk
    const path = (none(named) ? url : named).path
    if (!none(path)) files.push(path.js)
  }
  if (files.length > 0) return {files}
  for (const [type, form] of [['public.png', 'image/png'], ['public.jpeg', 'image/jpeg']]) {
    const data = board.dataForType(type)
    if (!none(data)) return save(data, to, form)
  }
  const tiff = board.dataForType('public.tiff') // what most programs of macOS copy
  const bitmap = none(tiff) ? null : $.NSBitmapImageRep.imageRepWithData(tiff)
  const png = none(bitmap) ? null : bitmap.representationUsingTypeProperties(4, $.NSDictionary.dictionary) // 4: PNG
  return none(png) ? {} : save(png, to, 'image/png')
}

function save(data, to, form) {
  if (!data.writeToFileAtomically(to, true)) throw new Error('the picture cannot be written to ' + to)
  return {form}
}
