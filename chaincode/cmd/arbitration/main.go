// Command arbitration serves the arbitration chaincode to a peer.
package main

import (
	"os"

	"concordat/chaincode/arbitration"
	"concordat/chaincode/service"
)

func main() {
	limit, err := arbitration.RangeLimit(os.Getenv("TOTAL_QUERY_LIMIT"))
	if err != nil {
		service.Main(nil, err)
	}
	service.Main(service.New("arbitration", arbitration.NewContract(limit)))
}
