#include "silence.h"

int silence_turn(struct silence *silence, uint64_t records)
{
	if (records != silence->records) {
		silence->records = records;
		silence->turns = 0;
		return 0;
	}
	if (++silence->turns < SILENCE_TURNS)
		return 0;
	silence->turns = 0;
	return 1;
}
