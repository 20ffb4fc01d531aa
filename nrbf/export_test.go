package nrbf

// RefuseGadget is the check of the building calls.
var RefuseGadget = refuseGadget
