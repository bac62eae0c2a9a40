// usage: node dhat_view.js DH_VIEW.js FILE
// Builds valgrind's own tree of a DHAT file, as its page does, and prints what
// stands at its root. It throws where the page would show an error.
"use strict";
const fs = require("fs");
const vm = require("vm");

const [view, file] = process.argv.slice(2);
const context = {
    document: { addEventListener() {} },
    window: {},
    location: { search: "" },
    console,
    content: fs.readFileSync(file, "utf8"),
    result: null,
};
vm.runInNewContext(fs.readFileSync(view, "utf8") + `
gData = JSON.parse(content);
gSelect = { childNodes: gSelectData.map(() => ({})), selectedIndex: 0 };
buildTree();
result = JSON.stringify({ totalBytes: gRoot._totalBytes,
                          totalBlocks: gRoot._totalBlocks,
                          atEndBytes: gRoot._atTEndBytes });
`, context);
console.log(context.result);
